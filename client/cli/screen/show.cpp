// SPDX-License-Identifier: PostgreSQL
#include "screen/show.hpp"

#include "screen/json.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace weir::command {

namespace {

constexpr int widest_type = 16;

std::string_view view(std::vector<std::byte> const &bytes) {
    return {reinterpret_cast<char const *>(bytes.data()), bytes.size()};
}

std::string as_json(std::string_view stream, frame const &f) {
    return json::object()
        .text("stream", stream)
        .text("id", f.id.text())
        .text("at", show_timestamp(f.at()))
        .text("mode", to_string(f.mode))
        .text_or_null("type", f.type)
        .raw("payload", f.payload.value_or("null"))
        .raw("bytes", f.bytes ? json::hex(view(*f.bytes)) : "null")
        .raw("headers", f.headers.value_or("null"))
        .str();
}

void write_raw(frame const &f) {
    if (f.mode == frame_mode::summary || f.mode == frame_mode::replace || f.mode == frame_mode::close)
        return;
    auto const eol = f.headers ? json::member(*f.headers, eol_header) : std::nullopt;
    if (f.bytes) {
        write(view(*f.bytes));
        if (eol == "true")
            write("\n");
    } else {
        auto const text = f.text();
        write(text ? *text : f.payload.value_or(""));
        if (eol != "false")
            write("\n");
    }
}

// What a frame says, for people.
std::string content(frame const &f) {
    screen const &out = standard_output();
    if (f.mode == frame_mode::close) {
        auto const reason = f.payload ? json::member(*f.payload, "reason") : std::nullopt;
        std::string said = unicode() ? "■ closed" : "closed";
        if (reason)
            said.append(": ").append(printable(frame{.payload = std::string(*reason)}.text().value_or(""), false));
        return paint(out, style::bold, said);
    }
    if (f.mode == frame_mode::summary || f.mode == frame_mode::replace)
        return paint(out, style::dim,
                     (unicode() ? "Δ " : "patch ") + json::one_line(f.payload.value_or("{}"), {.fd = 1}));
    if (f.bytes)
        return printable(view(*f.bytes), out.colour);
    if (auto const text = f.text()) {
        std::string_view shown = *text;
        if (shown.ends_with('\n')) // of a piece with its newline in it
            shown.remove_suffix(1);
        if (shown.ends_with('\r'))
            shown.remove_suffix(1);
        return printable(shown, out.colour);
    }
    return json::one_line(f.payload.value_or("null"), out);
}

} // namespace

std::string paint_type(std::string_view type, int columns) {
    static constexpr std::array<std::string_view, 4> hues = {style::cyan, style::magenta, style::blue, style::green};
    std::string const shown = pad(cut(printable(type, false), columns), columns);
    std::string_view how;
    if (type.empty())
        return shown;
    if (type == "stdout")
        how = style::dim;
    else if (type == "stderr")
        how = style::red;
    else if (type == "warning")
        how = style::yellow;
    else // the same in every run
        how = hues[std::hash<std::string_view>{}(type) % hues.size()];
    return paint(standard_output(), how, shown);
}

void frame_printer::print(std::string_view stream, frame const &f) {
    switch (options_.form) {
    case frame_form::people:
        return for_people(stream, f);
    case frame_form::json:
        return write(as_json(stream, f) + "\n");
    case frame_form::raw:
        return write_raw(f);
    }
}

void frame_printer::for_people(std::string_view stream, frame const &f) {
    screen const &out = standard_output();
    std::string line;
    if (options_.ids) {
        line = paint(out, style::dim, f.id.text());
    } else {
        // The date, where it is not that of the line before; today goes without saying.
        std::string const date = show_date(f.at());
        if (date_.empty())
            date_ = show_date(std::chrono::floor<milliseconds>(std::chrono::system_clock::now()));
        if (date != date_)
            write(paint(out, style::dim, (unicode() ? "── " : "-- ") + date) + "\n");
        date_ = date;
        line = paint(out, style::dim, show_time(f.at()));
    }
    int const left = width(line) + 2;
    line += f.mode == frame_mode::best_effort ? paint(out, style::dim, "~ ") : "  ";
    int indent = left;
    if (options_.streams_width > 0) {
        int const columns = static_cast<int>(options_.streams_width);
        line += paint(out, style::bold, pad(cut(printable(stream, false), columns), columns)) + "  ";
        indent += columns + 2;
    }
    if (f.type)
        type_width_ = std::clamp(width(*f.type), std::max(type_width_, 6), widest_type);
    if (type_width_ > 0) {
        line += paint_type(f.type.value_or(""), type_width_) + "  ";
        indent += type_width_ + 2;
    }
    // What goes over several lines stands under its first one.
    for (char const c : content(f)) {
        line += c;
        if (c == '\n')
            line.append(static_cast<std::size_t>(indent), ' ');
    }
    write(line + "\n");
}

} // namespace weir::command
