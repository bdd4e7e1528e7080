// SPDX-License-Identifier: PostgreSQL
//
// The inner side of the wall, for the .cpp files of the core only: inside,
// code may throw; guarded() turns whatever leaves it into a failure. No
// exception crosses a public entry.
#pragma once

#include "core/failure.hpp"

#include <exception>
#include <new>

#ifdef POSTGRES_H
#error "src/core is compiled without Postgres"
#endif

namespace weir::core {

// Thrown inside the core; carries the report as it will be shown.
struct error {
    failure why;
};

template <class F> [[nodiscard]] bool guarded(failure &why, F &&body) noexcept {
    why = failure{};
    try {
        body();
        return true;
    } catch (error const &e) {
        why = e.why;
    } catch (std::bad_alloc const &) {
        why.code = errc::out_of_memory;
        compose(why.message, "out of memory");
    } catch (std::exception const &e) {
        why.code = errc::internal;
        compose(why.message, e.what());
    } catch (...) {
        why.code = errc::internal;
        compose(why.message, "unexpected C++ exception");
    }
    return false;
}

} // namespace weir::core
