// SPDX-License-Identifier: PostgreSQL
//
// Bytes choose documents and patches; fold, difference and composition must
// agree with the oracle in value and with a server in bytes. An input that
// starts with '{' is text instead: one JSON document a line, the first the
// base, the others patches.
#include "core/merge_patch.hpp"
#include "generate.hpp"
#include "merge_helpers.hpp"

#include <cstdlib>
#include <iostream>

using namespace weir::core;
using namespace weir::test;

namespace {

struct source {
    unsigned char const *data;
    std::size_t size;
    std::size_t operator()(std::size_t n) { // 0 when used up: generation ends
        if (size == 0)
            return 0;
        --size;
        return *data++ % n;
    }
};

void require(bool holds, char const *what, json const &case_at_hand) {
    if (holds)
        return;
    std::cerr << what << ": " << case_at_hand.dump() << '\n';
    std::abort();
}

void check_fold(json const &base, std::vector<json> const &patches, oracle::sentinel const &s) {
    json document = base;
    for (json const &patch : patches)
        document = oracle::apply(document, patch, s);
    require(folded(base, patches, s) == document, "fold", {base, patches, s ? *s : "none"});
}

void check_diff(json const &from, json const &to, oracle::sentinel const &s) {
    auto const expected = oracle::diff(from, to, s);
    auto const patch = difference(from, to, s);
    require(expected ? patch == *expected : patch.code() == errc::unrepresentable, "diff", {from, to});
    if (expected)
        require(patched(from, *patch.tree, s) == to, "diff applied", {from, to});
}

void check_compose(json const &a, json const &b, json const &document) {
    auto const expected = oracle::compose(a, b);
    auto const both = composed(a, b);
    require(expected ? both == *expected : both.code() == errc::unrepresentable, "compose", {a, b});
    if (expected)
        require(patched(document, *both.tree) == oracle::apply(oracle::apply(document, a), b), "composed",
                {a, b, document});
}

// Numbers that the tests' converter does not do, and depth that it would recurse into.
bool usable(json const &v, int depth) {
    if (v.is_number_float())
        return v.dump().find_first_not_of("-0123456789.") == std::string::npos;
    if (v.is_string())
        return v.get_ref<std::string const &>().find('\0') == std::string::npos;
    if (!v.is_structured())
        return true;
    if (depth == 0)
        return false;
    for (auto const &[key, child] : v.items())
        if (key.find('\0') != std::string::npos || !usable(child, depth - 1))
            return false;
    return true;
}

void from_text(std::string_view text) {
    std::vector<json> documents;
    for (std::size_t at = 0; at < text.size() && documents.size() < 20;) {
        std::size_t const end = std::min(text.find('\n', at), text.size());
        json tree = json::parse(text.substr(at, end - at), nullptr, false);
        if (tree.is_discarded() || !usable(tree, 100))
            return;
        documents.push_back(std::move(tree));
        at = end + 1;
    }
    if (documents.empty())
        return;
    json const base = documents.front();
    documents.erase(documents.begin());
    check_fold(base, documents, the_sentinel);
    check_fold(base, documents, {});
    for (json const &d : documents) {
        check_diff(base, d, the_sentinel);
        check_diff(d, base, {});
        check_compose(base, d, documents.front());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const *data, std::size_t size) {
    if (size > 0 && data[0] == '{') {
        from_text({reinterpret_cast<char const *>(data), size});
        return 0;
    }
    source pick{data, size};
    oracle::sentinel s;
    if (std::size_t const which = pick(3); which > 0)
        s = which == 1 ? the_sentinel : "";
    json const base = generate(pick, 5);
    std::vector<json> patches;
    for (std::size_t n = pick(6); n > 0; --n)
        patches.push_back(generate(pick, 5));
    check_fold(base, patches, s);
    if (!patches.empty()) {
        check_diff(base, patches[0], s);
        check_compose(patches[0], base, patches.back());
        check_compose(patches[0], patches.back(), base);
    }
    return 0;
}
