# SPDX-License-Identifier: PostgreSQL
#
# The server half of weir, built with PGXS.
#
#   make                         build weir.so and the install script
#   make install                 into the server that PG_CONFIG names
#   make installcheck            pg_regress and isolation tests against a running server
#   make test | demo | bench     everything, on a private throwaway server
#   make unit | fuzz | stress    parts of it; `scripts/test --help` lists them all
#   make test-sanitize | test-valgrind  assertions, sanitizers; a smoke run under Valgrind
#   make test-17 | test-minimal  the same inside a minimal Debian 13 or Debian 12 tree
#
# PG_CONFIG=…/pg_config chooses the server, WERROR=1 makes every warning an error.

EXTNAME    = weir
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/weir.control)
EXTENSION  = extension/$(EXTNAME)
MODULE_big = $(EXTNAME)
WHOLE_SQL  = sql/$(EXTNAME)--$(EXTVERSION).sql
STEPS_SQL  = $(patsubst sql/upgrade/%,sql/$(EXTNAME)--%,$(wildcard sql/upgrade/*.sql))
DATA_built = $(WHOLE_SQL) $(STEPS_SQL)

# One file a family, in load order.
SQL_PARTS  = $(addprefix sql/,schema.sql position.sql log.sql name.sql merge.sql stream.sql doorbell.sql worker.sql \
               lease.sql outbox.sql trigger.sql kv.sql foreign.sql access.sql)

# src/core is plain C++20 and may throw inside; all the rest is the shell that calls the server.
CORE_OBJS  = $(patsubst %.cpp,%.o,$(sort $(wildcard src/core/*.cpp)))
SHELL_OBJS = $(filter-out src/core/%,$(patsubst %.cpp,%.o,$(sort $(wildcard src/*.cpp src/*/*.cpp))))
OBJS       = $(CORE_OBJS) $(SHELL_OBJS)

PG_CONFIG ?= pg_config

# -isystem: the server's headers are not clean under -Wextra -Wshadow.
PG_CPPFLAGS  = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
# -fno-omit-frame-pointer: the server's CFLAGS have it for perf, its CXXFLAGS do not.
# -fno-semantic-interposition: nobody replaces our functions, so calls inside a file may be inlined.
# -fvisibility-inlines-hidden: no dynamic symbol for each template of the standard library.
# -MMD -MP: PGXS tracks headers only where the server was configured to.
PG_CXXFLAGS  = -std=c++20 -O2 -fno-omit-frame-pointer -fno-semantic-interposition -fvisibility-inlines-hidden
PG_CXXFLAGS += -Wall -Wextra -Wshadow $(if $(WERROR),-Werror) -MMD -MP
# scripts/test-sanitize; without run-time type information vptr cannot be checked.
ifneq ($(WEIR_SANITIZE),)
PG_CXXFLAGS += -O1 -g -fsanitize=address,undefined -fno-sanitize=vptr
WEIR_SANITIZERS = -fsanitize=address,undefined
endif
# An ereport() leaves by longjmp and an exception may not cross it: the shell can do neither try nor throw.
SHELL_FLAGS  = -fno-exceptions -fno-rtti
# The server links with the C compiler; -z now -z relro: no writable jump table in a process that lives long.
SHLIB_LINK   = -lstdc++ -Wl,--version-script=src/exports.map -Wl,-z,relro,-z,now $(WEIR_SANITIZERS)

# Output goes under build/, a caller may move it (scripts/test does).
OUTPUT        ?= build
REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --outputdir=$(OUTPUT)/regress --load-extension=$(EXTNAME)
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=$(OUTPUT)/isolation --load-extension=$(EXTNAME)
REGRESS_PREP   = output-dirs
EXTRA_CLEAN    = build .flags $(OBJS:.o=.d)

# PGXS hands clang the C flags only, and inlining weir into JIT-compiled queries gains nothing.
override with_llvm := no

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifneq ($(PGXS),)
include $(PGXS)
else
all install installcheck clean:
	@echo "no server to build against: install postgresql-server-dev, or set PG_CONFIG" >&2; exit 1
endif

$(SHELL_OBJS): override CXXFLAGS += $(SHELL_FLAGS)
$(MODULE_big)$(DLSUFFIX): src/exports.map
-include $(OBJS:.o=.d)

# Tests of an order of events are not to race with the housekeeper: sessions leave it nothing to do, and the few
# that are about it switch it on.
installcheck: export PGOPTIONS := $(PGOPTIONS) -c weir.housekeeping=off

$(WHOLE_SQL): $(SQL_PARTS) extension/weir.control
	cat $(SQL_PARTS) > $@.tmp && mv $@.tmp $@
# A step to the version at hand takes whole files of it with "-- include FILE". Once that version is released they are
# written out: what it made does not change any more.
$(STEPS_SQL): sql/$(EXTNAME)--%: sql/upgrade/% $(SQL_PARTS)
	awk '/^-- include / { while ((got = (getline line < $$3)) > 0) print line; if (got < 0) exit 1; next } { print }' \
	 $< > $@.tmp && mv $@.tmp $@

# Objects of another server version or of other flags are built anew.
$(OBJS): .flags
.flags: force
	@echo '$(filter-out -Werror,$(COMPILE.cc)) $(SHELL_FLAGS) $(VERSION)' | cmp -s - $@ || \
	 echo '$(filter-out -Werror,$(COMPILE.cc)) $(SHELL_FLAGS) $(VERSION)' > $@

output-dirs:
	mkdir -p $(OUTPUT)/regress $(OUTPUT)/isolation

# How a shell file is compiled, for other tools that parse it (test/rules/destructors.sh).
print-shell-flags:
	@echo '$(PG_CPPFLAGS) $(filter -I% -D%,$(CPPFLAGS)) $(filter -std=%,$(PG_CXXFLAGS)) $(SHELL_FLAGS)'

check-rules: all
	PG_CONFIG='$(PG_CONFIG)' test/rules/run
demo:
	scripts/demo
test:
	scripts/test
unit fuzz stress:
	scripts/test $@
bench:
	bench/run
test-17 test-minimal test-sanitize test-valgrind:
	scripts/$@

.PHONY: force output-dirs print-shell-flags check-rules demo test unit fuzz stress bench \
        test-17 test-minimal test-sanitize test-valgrind
