// SPDX-License-Identifier: PostgreSQL
// Catch2 2 wants its main defined once; version 3 brings a library with one.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#endif
#include "../../unit/catch.hpp"
