#!/usr/bin/env bash
# Write constraints.txt anew from .venv, after dependencies have changed and the tests have passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
.venv/bin/python -m pip freeze --exclude-editable |
  grep -E '^[A-Za-z0-9._-]+==' |
  sed -E 's/\+.*//' |  # a local build, such as torch's for CPUs, is that of one machine
  grep -viE '^(pip|setuptools|neosqlite|pytest-xdist|execnet)==' >constraints.txt
wc -l constraints.txt
