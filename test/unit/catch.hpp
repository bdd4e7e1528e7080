// SPDX-License-Identifier: PostgreSQL
//
// Catch2, version 3 or 2, whichever is installed.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

using Catch::Approx; // version 2 has it at large
#else
#include <catch2/catch.hpp>
#endif
