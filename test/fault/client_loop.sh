#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: see test/client/loop/loop_test.cpp: the notifier's loop through all orders of events, without a server.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

catch_tests weir_loop_test loop/ '[loop]'
finish
