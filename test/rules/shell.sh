#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: shellcheck has no warning about a script
#
# SC2154, a variable that nobody sets, is off: tests source what sets theirs.
set -euo pipefail

command -v shellcheck >/dev/null || { echo "shellcheck is not installed"; exit 1; }
grep -rlE '^#!.*\b(ba)?sh\b|^# shellcheck shell=' scripts test bench .ci | sort |
    xargs shellcheck -x -P SCRIPTDIR -S warning -e SC2154 -f gcc
