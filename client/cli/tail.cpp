// SPDX-License-Identifier: PostgreSQL
//
// weir tail: the newest frames of one or more streams, and with -f those that come, until the streams are closed.
//
// Where each stream starts: behind the position in the cursor file, or --after, --since, or so many frames before its
// end. Frames are shown first and remembered then, so after a crash some may be shown again and none is left out.
#include "cursor_file.hpp"
#include "exit.hpp"
#include "show.hpp"
#include "signals.hpp"
#include "terminal.hpp"
#include "text.hpp"
#include "verb.hpp"
#include "weir/notifier.hpp"
#include "weir/stream.hpp"
#include "weir/tail.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace weir::command {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

struct tail_verb {
    std::vector<std::string> streams = {};
    bool follow = false, json = false, raw = false, ids = false, quiet = false;
    std::optional<std::int64_t> frames = {};
    std::optional<position> after = {};
    std::string since = {}, cursor = {};
    frame_filter filter = {};

    int operator()(command &all) const;
};

// Wakes the one thread that prints.
class wakeup {
public:
    void ring() {
        std::lock_guard const guard(lock_);
        rung_ = true;
        changed_.notify_one();
    }
    // Until rung, stopped, or the time is over.
    void wait(clock::time_point limit) {
        std::unique_lock guard(lock_);
        changed_.wait_until(guard, signals::stop(), limit, [this] { return rung_; });
        rung_ = false;
    }

private:
    std::mutex lock_;
    std::condition_variable_any changed_;
    bool rung_ = false;
};

class tailing {
public:
    tailing(tail_verb const &o, command &all);
    int run();

private:
    start start_of(std::string const &stream);
    position before_newest(std::string const &stream, std::int64_t frames);
    void show(std::string const &stream, std::vector<frame> const &frames);
    void save(bool now);
    void print_what_is_there();
    int follow();
    void say_status(notifier_status const &s);

    tail_verb const &options_;
    command &all_;
    std::optional<connection> db_;
    std::optional<cursor_file> cursors_;
    clock::time_point saved_{};
    frame_printer printer_;
    std::mutex said_lock_;
    wakeup how_ = wakeup_none();
    bool was_lost_ = false;
};

} // namespace

} // namespace weir::command
