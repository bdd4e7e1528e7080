# SPDX-License-Identifier: PostgreSQL
#
# libpq, by its header and its library. CMake's own FindPostgreSQL also wants the
# headers of a server, which nobody needs for a client.
#
#   LibPQ::LibPQ
find_path(LibPQ_INCLUDE_DIR libpq-fe.h PATH_SUFFIXES postgresql pgsql)
find_library(LibPQ_LIBRARY pq)
mark_as_advanced(LibPQ_INCLUDE_DIR LibPQ_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibPQ REQUIRED_VARS LibPQ_LIBRARY LibPQ_INCLUDE_DIR)

if(LibPQ_FOUND AND NOT TARGET LibPQ::LibPQ)
  add_library(LibPQ::LibPQ UNKNOWN IMPORTED)
  set_target_properties(LibPQ::LibPQ PROPERTIES
    IMPORTED_LOCATION "${LibPQ_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LibPQ_INCLUDE_DIR}")
endif()
