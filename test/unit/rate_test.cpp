// SPDX-License-Identifier: PostgreSQL
//
// Defends: the rate is right for any pace and pattern of appends, and the
// number of frames kept follows it without ever being absurd. Tolerances:
// 10 % for regular appends from 0.1 Hz to 100 kHz, 25 % in the mean for Poisson arrivals.
#include "catch.hpp"
#include "core/rate.hpp"

#include <cmath>
#include <limits>
#include <random>

using namespace weir::core;

namespace {

constexpr double epoch_us = 1.795e15;
constexpr double alphas[] = {0.05, 0.2, 0.5, 1.0};

// A stream with a clock in fractions of a microsecond.
struct stream {
    double alpha = 0.2;
    double now_us = epoch_us;
    rate_state state{};

    void append(std::int64_t n = 1) { state = rate_append(state, static_cast<std::int64_t>(now_us), n, alpha); }
    void pass(double us) { now_us += us; }
    [[nodiscard]] double rate(double later_us = 0) const {
        return rate_at(state, static_cast<std::int64_t>(now_us + later_us), alpha);
    }
};

} // namespace

TEST_CASE("regular appends are measured to 10 % at any pace and at any moment", "[rate]") {
    for (double alpha : alphas)
        for (double hz : {0.1, 0.3, 1.0, 4.0, 9.0, 10.0, 11.0, 30.0, 100.0, 999.0, 2000.0, 5e3, 1e4, 5e4, 1e5}) {
            stream s{alpha};
            double worst = 0;
            int const frames = static_cast<int>(std::max(60.0, hz * 3));
            for (int i = 0; i < frames; ++i) {
                s.append();
                if (i > 20 && i > hz)
                    for (double part : {0.0, 0.3, 0.6, 0.95})
                        worst = std::max(worst, std::abs(s.rate(part * 1e6 / hz) / hz - 1));
                s.pass(1e6 / hz);
            }
            INFO("alpha " << alpha << ", " << hz << " Hz");
            CHECK(worst < 0.1);
        }
}

TEST_CASE("Poisson arrivals are measured to 25 % in the mean", "[rate]") {
    for (double alpha : {0.05, 0.2, 0.5})
        for (double hz : {0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4}) {
            std::mt19937_64 engine(5);
            std::exponential_distribution<double> gap(hz);
            std::uniform_real_distribution<double> part(0, 1);
            stream s{alpha};
            double at_append = 0;
            double over_time = 0;
            double time = 0;
            int const frames = 40000;
            for (int i = 0; i < frames; ++i) {
                s.append();
                at_append += s.rate();
                double const us = gap(engine) * 1e6;
                over_time += s.rate(part(engine) * us) * us;
                time += us;
                s.pass(us);
            }
            INFO("alpha " << alpha << ", " << hz << " Hz");
            CHECK(at_append / frames / hz == Approx(1).margin(0.25));
            CHECK(over_time / time / hz == Approx(1).margin(0.25));
        }
}

TEST_CASE("every frame of one microsecond, millisecond or batch counts", "[rate]") {
    for (double alpha : alphas) {
        stream batched{alpha};
        for (int i = 0; i < 3000; ++i) { // 100 every millisecond
            batched.append(100);
            batched.pass(1000);
        }
        CHECK(batched.rate() == Approx(1e5).epsilon(0.1));

        stream same{alpha};
        for (int i = 0; i < 300; ++i) { // 50 calls in the same microsecond, every 10 ms
            for (int j = 0; j < 50; ++j)
                same.append();
            same.pass(10000);
        }
        CHECK(same.rate() == Approx(5e3).epsilon(0.1));
    }
}

TEST_CASE("bursts of 20 in a millisecond each second are at least 20 Hz", "[rate]") {
    for (double alpha : alphas) {
        stream s{alpha};
        for (int second = 0; second < 30; ++second) {
            for (int i = 0; i < 20; ++i) {
                s.append();
                if (second > 0)
                    CHECK(s.rate() >= 20 * 0.999999);
                s.pass(50);
            }
            s.pass(1e6 - 20 * 50);
            if (second > 0)
                CHECK(s.rate() >= 20 * 0.999999);
            if (second > 5)
                CHECK(s.rate() < 25);
        }
    }
}

TEST_CASE("a rush is believed at once", "[rate]") {
    SECTION("from nothing") {
        stream s;
        for (int i = 0; i < 256; ++i) {
            s.append();
            s.pass(20);
        }
        CHECK(s.rate() > 1000);
        CHECK(maxlen(s.rate(), 30000, 64, 16384) > 64);
    }
    SECTION("after a quiet time") {
        for (double alpha : alphas) {
            stream s{alpha};
            for (int i = 0; i < 10; ++i) {
                s.append();
                s.pass(1e7);
            }
            int too_few = 0;
            for (int i = 0; i < 20000; ++i) { // 10 kHz
                s.append();
                for (int ttl_ms : {200, 5000})
                    if (maxlen(s.rate(), ttl_ms, 64, 1000000) < std::min(i + 1, ttl_ms * 10))
                        ++too_few;
                s.pass(100);
            }
            CHECK(too_few == 0);
            CHECK(s.rate() == Approx(1e4).epsilon(0.1));
        }
    }
}

TEST_CASE("a stream that wakes up is followed before frames are lost", "[rate]") {
    for (double hz : {1.0, 5.0, 20.0})
        for (double gap_s : {100.0, 1000.0, 86400.0}) {
            stream s;
            for (int i = 0; i < 100; ++i) {
                s.append();
                s.pass(1e6 / hz);
            }
            s.pass(gap_s * 1e6);
            int too_few = 0;
            for (int i = 0; i < 1000; ++i) {
                s.append();
                double const alive = std::min(i + 1.0, 60 * hz);
                if (static_cast<double>(maxlen(s.rate(), 60000, 64, 1000000)) < alive)
                    ++too_few;
                s.pass(1e6 / hz);
            }
            INFO(hz << " Hz after " << gap_s << " s");
            CHECK(too_few == 0);
        }
}

TEST_CASE("the rate decays while nothing comes", "[rate]") {
    for (double alpha : {0.05, 0.2, 0.5})
        for (double hz : {0.5, 10.0, 1000.0, 50000.0}) {
            stream s{alpha};
            for (int i = 0; i < std::max(20, static_cast<int>(2 * hz)); ++i) {
                s.append();
                s.pass(1e6 / hz);
            }
            double const busy = s.rate();
            double previous = busy;
            for (double idle = 2e6 / hz; idle < 1e11; idle *= 2) {
                double const now = s.rate(idle);
                CHECK(now <= previous * 1.000001);
                CHECK(now >= 0);
                previous = now;
            }
            CHECK(s.rate(60e6) < std::max(busy * 0.5, 1.0));
            CHECK(s.rate(1e11) < 0.1 + busy * 1e-4);
            double const minutes_later = s.rate(1e9);
            s.pass(1e9);
            s.append(); // the append after the pause sees the pause as well
            CHECK(s.rate() == Approx(minutes_later).epsilon(0.01));
        }
}

TEST_CASE("a slower pace is learnt", "[rate]") {
    stream s{0.3};
    for (int i = 0; i < 64; ++i)
        s.append();
    double const fast = s.rate();
    s.pass(2e6);
    s.append();
    CHECK(s.rate() < fast);
    for (double hz : {1000.0, 100.0, 1.0}) {
        stream slower;
        for (int i = 0; i < 30000; ++i) {
            slower.append();
            slower.pass(100);
        }
        for (int i = 0; i < 5 * hz + 30; ++i) {
            slower.append();
            slower.pass(1e6 / hz);
        }
        CHECK(slower.rate() == Approx(hz).epsilon(0.1));
    }
}

TEST_CASE("no clock, count or state makes the estimate absurd", "[rate]") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr auto infinity = std::numeric_limits<double>::infinity();
    constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
    std::int64_t const times[] = {least, -1, 0, 1, 99999, 100000, 1795000000000000, most};
    std::int64_t const counts[] = {least, -5, 0, 1, 20, 1000000, most};
    for (double rate : {0.0, -0.0, -5.0, 1e-300, 5e-324, 1.0, 1e300, 1.7e308, infinity, -infinity, nan})
        for (std::int64_t start : times)
            for (std::int64_t now : times)
                for (std::int64_t count : counts)
                    for (std::int64_t n : counts)
                        for (double alpha : {0.2, 1.0, 1e-300, 0.0, -1.0, 7.0, infinity, nan}) {
                            rate_state const s{rate, start, count};
                            double const seen = rate_at(s, now, alpha);
                            rate_state const next = rate_append(s, now, n, alpha);
                            if (!(seen >= 0 && std::isfinite(seen)))
                                FAIL("rate_at " << seen);
                            if (!(next.rate_hz >= 0 && std::isfinite(next.rate_hz)))
                                FAIL("rate_append " << next.rate_hz);
                            if (next.window_count < 0 && count >= 0)
                                FAIL("count");
                        }
    SUCCEED();
}

TEST_CASE("a clock that steps back costs one window, not the estimate", "[rate]") {
    stream s;
    for (int i = 0; i < 5000; ++i) {
        s.append();
        s.pass(1000);
    }
    s.pass(-3600e6);
    s.append();
    CHECK(s.rate() == Approx(1000).epsilon(0.1));
    for (int i = 0; i < 1000; ++i) {
        s.append();
        s.pass(1000);
        CHECK(s.rate() == Approx(1000).epsilon(0.1));
    }
    s.pass(-3600e6);
    for (int i = 0; i < 300; ++i) { // and a new pace is learnt long before the old time returns
        s.append();
        s.pass(10000);
    }
    CHECK(s.rate() == Approx(100).epsilon(0.1));
}

TEST_CASE("nothing appended, or one frame: no rate", "[rate]") {
    CHECK(rate_at(rate_state{}, 1795000000000000, 0.2) == 0);
    stream s;
    s.append();
    CHECK(s.rate() == 0);
    CHECK(s.rate(10e6) == 0);
    CHECK(maxlen(s.rate(), 30000, 64, 16384) == 64);
}

TEST_CASE("maxlen is twice what ttl holds, within its bounds", "[rate]") {
    CHECK(maxlen(0, 5000, 64, 16384) == 64);
    CHECK(maxlen(10, 5000, 64, 16384) == 100);
    CHECK(maxlen(10.01, 5000, 64, 16384) == 102);
    CHECK(maxlen(10000, 5000, 64, 1000000) == 100000);
    CHECK(maxlen(10000, 5000, 64, 16384) == 16384);
    CHECK(maxlen(10000, 30000, 64, 256) == 256);
    CHECK(maxlen(0.001, 1, 1, 10) == 2);
    CHECK(maxlen(1e308, 86400000, 64, 10000000) == 10000000);
    CHECK(maxlen(1e308, std::numeric_limits<std::int64_t>::max(), 1, std::numeric_limits<std::int64_t>::max()) ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(maxlen(std::numeric_limits<double>::quiet_NaN(), 5000, 64, 16384) == 64);
    CHECK(maxlen(std::numeric_limits<double>::infinity(), 5000, 64, 16384) == 16384);
    CHECK(maxlen(std::numeric_limits<double>::infinity(), 0, 64, 16384) == 64);
    CHECK(maxlen(-5, 5000, 64, 16384) == 64);
    CHECK(maxlen(10, -5000, 64, 16384) == 64);
    CHECK(maxlen(1e9, 5000, 64, 64) == 64);
    CHECK(maxlen(1e9, 5000, 64, 10) == 64);
}
