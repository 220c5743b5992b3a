#!/usr/bin/env bash
# The main job, small: PEO dimer on hydroxylated silica with GPAW, on a store that needs no server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH"
echo "PEO on hydroxylated SiO2 with GPAW: some ten minutes on two cores; interrupted, it goes on where it was." >&2
exec iface-wf run --filler SiO2 --polymer PEO --units 2 --engine gpaw --level fast --search 60 --workdir demo "$@"
