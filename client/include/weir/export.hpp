// SPDX-License-Identifier: PostgreSQL
//
// What the library shows of itself. All names live in weir::v0, an inline
// namespace: a later version with another binary shape has another name, so that two
// of them in one process do not meet.
#pragma once

#if defined(_WIN32)
#define WEIR_CLIENT_API
#else
#define WEIR_CLIENT_API __attribute__((visibility("default")))
#endif
