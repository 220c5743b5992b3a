#!/usr/bin/env bash
# Prepare everything in .venv. Usage: scripts/setup.sh demo|test
#   demo  the package and GPAW, enough to run `make demo`
#   test  that, and what the tests, the linters and the job queue need
# Safe to run again: it returns at once when nothing that matters has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

profile=${1:-demo}
case $profile in
  demo) extras=gpaw ;;
  test) extras=gpaw,queue,mlip,sevennet,dev ;;
  *) echo "setup: unknown profile '$profile'; use demo or test" >&2; exit 2 ;;
esac

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

# ---- nothing to do? -------------------------------------------------------------------------------------
venv=$PWD/.venv
fingerprint=$(cat pyproject.toml constraints.txt scripts/setup.sh <(printf '%s' "$PWD") | sha256sum | cut -d' ' -f1)
stamped() { [[ -x $venv/bin/iface-wf && -f $venv/.ready-$1 && $(<"$venv/.ready-$1") == "$fingerprint" ]]; }
if stamped "$profile" || { [[ $profile == demo ]] && stamped test; }; then
  exit 0
fi

# ---- system libraries: asked of the compiler, so that modules and other package managers count too --------
compiles() { printf '%s\n' "$1" | c++ -x c++ - "${@:2}" -o /dev/null 2>/dev/null; }
missing_libraries() {
  command -v c++ >/dev/null || echo g++
  command -v make >/dev/null || echo make
  command -v mpirun >/dev/null || echo openmpi-bin
  command -v mpic++ >/dev/null || echo libopenmpi-dev
  # Without a compiler nothing can be asked: install both, which is harmless.
  compiles $'#include <xc.h>\nint main() { return 0; }' -lxc || echo libxc-dev
  compiles 'int main() { return 0; }' -lblas || echo libopenblas-dev
  if [[ $profile == test ]]; then  # the tests of the queue run a Slurm of their own
    command -v slurmctld >/dev/null && command -v slurmd >/dev/null || echo slurm-wlm
    command -v munged >/dev/null || echo munge
    # those of the pages open them in a browser, whose letters need a font
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
      printf "%s\n" chromium fonts-dejavu-core
  fi
}

# ---- a Python of at least 3.11, with venv and headers ---------------------------------------------------
recent() { command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
complete() {
  "$1" - 2>/dev/null <<'PY'
import ensurepip, pathlib, sysconfig, venv
raise SystemExit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").is_file())
PY
}
candidates=(python3 python3.11 python3.12 python3.13 python3.14)
find_python() {
  local name
  for name in "${candidates[@]}"; do
    if recent "$name" && complete "$name"; then command -v "$name"; return; fi
  done
  return 1
}
python_packages() {
  local name version
  for name in "${candidates[@]}"; do
    # Only the distribution's own Python can be completed by its package manager.
    if [[ -x /usr/bin/$name ]] && recent "/usr/bin/$name"; then
      version=$("/usr/bin/$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
      echo "python$version-venv" "python$version-dev"
      return
    fi
  done
  # apt's own lists decide which version this release has; they are filled by `apt-get update`.
  for version in $(apt-cache depends python3 2>/dev/null | sed -n 's/.*Depends: python\(3\.[0-9]*\)$/\1/p') 3.14 3.13 3.12 3.11; do
    if [[ ${version#3.} -ge 11 ]] && apt-cache show "python$version-venv" >/dev/null 2>&1; then
      echo "python$version" "python$version-venv" "python$version-dev"
      return
    fi
  done
  echo "python3 python3-venv python3-dev"
}

install_system_packages() {
  local wanted=("$@") apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  if ! command -v apt-get >/dev/null; then
    say "Missing: ${wanted[*]} (Debian's names). Install them with this system's package manager, then run again."
    exit 2
  fi
  if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      say "Some system libraries are missing. Run this line, then the same command again:"
      echo "sudo apt-get update && sudo apt-get install -y ${wanted[*]}" >&2
      exit 2
    fi
    apt=(sudo -n "${apt[@]}")
  fi
  say "Installing ${wanted[*]}"
  "${apt[@]}" install -y --no-install-recommends "${wanted[@]}" >&2
}
update_lists() {
  local apt
  # A failed update is not fatal: older lists may do, and the installation that follows says what is wrong.
  if [[ $(id -u) -eq 0 ]]; then apt=(apt-get)
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then apt=(sudo -n apt-get)
  else return 0
  fi
  say "Reading the package lists"
  "${apt[@]}" update -q >&2 || true
}

mapfile -t wanted < <(missing_libraries)
python=$(find_python) || python=
if [[ ${#wanted[@]} -gt 0 || -z $python ]]; then
  if command -v apt-get >/dev/null; then update_lists; fi
  more=()
  [[ -n $python ]] || read -r -a more <<<"$(python_packages)"
  install_system_packages "${wanted[@]}" "${more[@]}"
  mapfile -t wanted < <(missing_libraries)
  [[ ${#wanted[@]} -eq 0 ]] || { say "Still missing after installation: ${wanted[*]}"; exit 1; }
  hash -r
  python=$(find_python) || { say "No complete Python of at least version 3.11 found (with venv and headers)"; exit 1; }
fi

# ---- the virtual environment ----------------------------------------------------------------------------
if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  say "Creating .venv with $("$python" --version) ($python)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi
rm -f "$venv"/.ready-*
say "Installing iface-wf[$extras]; GPAW is compiled here, which takes a minute or two the first time"
# Bytecode is written when a module is first used, so that nobody waits for all of it here; where that is forbidden, see below.
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
if ! "$venv/bin/python" -c 'import gpaw' 2>/dev/null; then
  wheels=$(mktemp -d)
  trap 'rm -rf "$wheels"' EXIT
  pip wheel --no-deps -c constraints.txt -w "$wheels" gpaw >"$wheels/log" 2>&1 &
  others=${extras#gpaw}
  pip install --no-compile -c constraints.txt -e ".${others:+[${others#,}]}"  # while the compiler works
  wait $! || say "GPAW could not be built beside the rest: once more, by itself"
fi
pip install --no-compile ${wheels:+--find-links "$wheels"} -c constraints.txt -e ".[$extras]"

# GPAW builds without libxc or MPI when they are absent, and pip would serve such a build from its cache.
whole='from gpaw import cgpaw; assert cgpaw.have_mpi and hasattr(cgpaw, "lxcXCFunctional")'
if ! "$venv/bin/python" -c "$whole" 2>/dev/null; then
  say "This GPAW lacks libxc or MPI: building it again"
  pip install -c constraints.txt --force-reinstall --no-deps --no-cache-dir --no-binary gpaw gpaw
  "$venv/bin/python" -c "$whole" || { say "GPAW could not be built with libxc and MPI"; exit 1; }
fi
# Images of containers often forbid Python to write bytecode. Every start would then compile a thousand modules anew: 6 s instead of 1.6.
if [[ -n ${PYTHONDONTWRITEBYTECODE:-} ]]; then
  say "Compiling bytecode, because PYTHONDONTWRITEBYTECODE keeps Python from doing it when modules are used"
  # what does not compile are templates and files of newer versions of Python, which nobody imports
  "$venv/bin/python" -m compileall -q -j 0 -x '/tests/' "$venv/lib" src >/dev/null || true
fi
printf '%s' "$fingerprint" >"$venv/.ready-$profile"
say "Ready: .venv/bin/iface-wf"
