// SPDX-License-Identifier: PostgreSQL
//
// What the threads of a program share with the notifier's own: an inbox of things to
// do, the status, and figures. Everything else belongs to the loop alone
// (loop.hpp), so that there is one lock for each tail and one for the inbox, and never two at a time.
#pragma once

#include "wait.hpp"
#include "weir/notifier.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace weir::inline v0 {

namespace internal {
class loop;
using command = std::function<void(loop &)>;

struct figures {
    std::atomic<std::size_t> tails{0}, channels{0}, connections{0};
    std::atomic<std::uint64_t> connects{0}, lost{0}, notifications{0}, reads{0}, frames{0}, polls{0};
};
} // namespace internal

struct notifier::core {
    explicit core(notifier_options o) : options(std::move(o)) {}

    notifier_options const options;
    internal::waker bell;
    internal::figures counts;

    // To be done by the loop. False where the notifier is gone.
    bool post(internal::command what);
    // The loop's side. False when it is to end.
    bool collect(std::vector<internal::command> &into);

    void set_status(notifier_status const &now);
    notifier_status get_status() const;

    std::thread thread;

private:
    friend class notifier;
    std::mutex lock_;
    std::vector<internal::command> inbox_;
    bool ending_ = false;
    mutable std::mutex status_lock_;
    notifier_status status_;
};

// A callback that its owner can take back: once forget() has returned, it neither runs nor will run.
// The owner may also do that from within the callback. What it throws is dropped: the loop goes on for the others.
namespace internal {
template <class... Args> class revocable {
public:
    explicit revocable(std::function<void(Args...)> f) : f_(std::move(f)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(f_); }

    void operator()(Args... args) {
        std::lock_guard const guard(running_);
        try {
            if (!forgotten_ && f_)
                f_(args...);
        } catch (...) {
        }
    }
    void forget() noexcept {
        std::lock_guard const guard(running_);
        forgotten_ = true;
    }

private:
    std::function<void(Args...)> const f_;
    std::recursive_mutex running_;
    bool forgotten_ = false;
};
} // namespace internal

} // namespace weir::inline v0
