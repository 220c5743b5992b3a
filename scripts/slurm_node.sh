#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, without systemd: for the tests and for trying the queue.
#   scripts/slurm_node.sh start FOLDER      prints the line that makes Slurm's commands use it
#   scripts/slurm_node.sh stop FOLDER
# Needs root and Debian's packages slurm-wlm and munge. Everything it writes lies in FOLDER; it serves 127.0.0.1 only.
set -euo pipefail
action=${1:-} folder=${2:-}
if [[ $action != start && $action != stop ]] || [[ -z $folder ]]; then
  echo "usage: $0 start|stop FOLDER" >&2
  exit 2
fi

stop() {
  local daemon file pid
  for daemon in slurmd slurmctld munged; do
    file=$folder/run/$daemon.pid
    [[ -s $file ]] || continue
    pid=$(<"$file")
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  done
}
if [[ $action == stop ]]; then
  stop
  exit 0
fi

for program in munged slurmctld slurmd sinfo; do
  command -v "$program" >/dev/null || { echo "$program is missing: apt-get install slurm-wlm munge" >&2; exit 2; }
done
[[ $(id -u) -eq 0 ]] || { echo "Slurm's daemons need root" >&2; exit 2; }

mkdir -p "$folder"/{etc,log,run,controller,node}
folder=$(cd "$folder" && pwd)
chmod 755 "$folder" "$folder/run"  # munge refuses sockets in folders that others may write
host=$(hostname -s)
read -r controller_port node_port < <(python3 - <<'PY'
import socket
probes = [socket.socket() for _ in range(2)]
for probe in probes:
    probe.bind(("127.0.0.1", 0))
print(*(probe.getsockname()[1] for probe in probes))
PY
)
(umask 077 && head -c 128 /dev/urandom >"$folder/etc/munge.key")
munged --force --key-file="$folder/etc/munge.key" --socket="$folder/run/munge.socket" --log-file="$folder/log/munged.log" \
  --pid-file="$folder/run/munged.pid" --seed-file="$folder/run/munge.seed" 2>>"$folder/log/munged.start"
cat >"$folder/etc/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
StateSaveLocation=$folder/controller
SlurmdSpoolDir=$folder/node
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
KillWait=5
MinJobAge=60
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(env -u OMP_NUM_THREADS nproc) RealMemory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024)) State=UNKNOWN
PartitionName=debug Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/etc/slurm.conf
slurmctld
slurmd
for _ in $(seq 120); do
  if [[ $(sinfo -h -o %t 2>/dev/null) == idle ]]; then
    echo "export SLURM_CONF=$SLURM_CONF"
    exit 0
  fi
  sleep 0.25
done
stop
echo "The node did not become idle within 30 s: see $folder/log" >&2
exit 1
