// SPDX-License-Identifier: PostgreSQL
#include "link.hpp"

#include "failure.hpp"

#include <poll.h>

namespace weir::inline v0 {
namespace internal {

void link::open(conninfo const &to, std::chrono::milliseconds connect_timeout, until::clock::time_point now) {
    close();
    connection_ = to.start();
    if (PQstatus(get()) == CONNECTION_BAD) {
        error why(describe_refused(get()));
        close();
        throw why;
    }
    auto const limit = connect_limit(get(), connect_timeout);
    connect_by_ = limit.count() > 0 ? now + limit : until::never;
    wants_ = PGRES_POLLING_WRITING;
    phase_ = phase::connecting;
    PQsetNoticeReceiver(
        get(),
        [](void *self, PGresult const *notice) {
            if (auto const &f = static_cast<link *>(self)->on_notice_)
                f(trimmed(PQresultErrorMessage(notice)));
        },
        this);
    // Verbose, to learn the SQLSTATE of a refused connection: libpq has no other way to it.
    PQsetErrorVerbosity(get(), PQERRORS_VERBOSE);
}

void link::close() noexcept {
    connection_.reset();
    phase_ = phase::closed;
    unsent_ = lost_ = false;
}

short link::events() const noexcept {
    switch (phase_) {
    case phase::connecting:
        return wants_ == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    case phase::open:
        return static_cast<short>(unsent_ ? POLLIN | POLLOUT : POLLIN);
    default:
        return 0;
    }
}

link::phase link::advance() {
    wants_ = PQconnectPoll(get());
    if (wants_ == PGRES_POLLING_FAILED) {
        error why(describe_refused(get()));
        close();
        throw why;
    }
    if (wants_ == PGRES_POLLING_OK) {
        phase_ = phase::open;
        PQsetErrorVerbosity(get(), PQERRORS_DEFAULT);
        PQsetnonblocking(get(), 1);
        keep_alive(get());
    }
    return phase_;
}

bool link::flush() noexcept {
    int const left = PQflush(get());
    if (left < 0)
        lost_ = true;
    unsent_ = left > 0;
    return left == 0;
}

bool link::receive() noexcept {
    if (PQconsumeInput(get()) == 0)
        lost_ = true;
    return !lost_;
}

bool link::alive() noexcept {
    if (lost())
        return false;
    pollfd p{fd(), POLLIN, 0};
    if (::poll(&p, 1, 0) > 0)
        return receive() && !lost();
    return true;
}

} // namespace internal
} // namespace weir::inline v0
