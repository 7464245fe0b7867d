#!/usr/bin/env bash
# Sets up .venv: checks the system, installs the locked requirements, builds the kernels.
# Says the exact apt line when something of the system is missing; as root it runs that line.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { missing+=("$1"); }

# The first Python that is new enough; PYTHON=… overrides.
python=
for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "setup: no Python 3.11 or newer found. Run: sudo apt-get install python3.11 python3.11-venv python3.11-dev" >&2
  exit 1
fi
version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')

command -v gcc >/dev/null || need gcc
echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 || need libc6-dev
"$python" -c 'import venv, ensurepip' 2>/dev/null || need "$version-venv"
"$python" - <<'PY' 2>/dev/null || need "$version-dev"
import pathlib, sys, sysconfig
sys.exit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists())
PY
has_chinese_font() {
  # A folder that does not exist makes find fail; what counts is whether anything was found.
  local found
  found=$(find /usr/share/fonts /usr/local/share/fonts "${HOME:-/}/.local/share/fonts" "${HOME:-/}/.fonts" \
    \( -iname 'wqy*' -o -iname 'NotoSansCJK*' -o -iname 'NotoSerifCJK*' -o -iname 'SourceHan*' \) 2>/dev/null || true)
  [ -n "$found" ]
}
has_chinese_font || need fonts-wqy-microhei

# Qt's libraries: those of every window, then those of a window on an X server.
libraries=$(/sbin/ldconfig -p 2>/dev/null || true)
library() { case "$libraries" in *"$1"*) ;; *) need "$2" ;; esac; }
library libglib-2.0.so.0 libglib2.0-0
library libGL.so.1 libgl1
library libEGL.so.1 libegl1
library libxkbcommon.so.0 libxkbcommon0
library libdbus-1.so.3 libdbus-1-3
library libfontconfig.so.1 libfontconfig1
library libxcb-cursor.so.0 libxcb-cursor0
library libxkbcommon-x11.so.0 libxkbcommon-x11-0
library libxcb-icccm.so.4 libxcb-icccm4
library libxcb-keysyms.so.1 libxcb-keysyms1
library libxcb-shape.so.0 libxcb-shape0
# The tests read a simulated IIO device through it (1 MB).
library libiio.so.0 libiio0
# The tests drive a real window on an X server without a screen.
command -v Xvfb >/dev/null || need xvfb

if [ ${#missing[@]} -gt 0 ]; then
  line="apt-get install --no-install-recommends -y ${missing[*]}"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: the system lacks ${missing[*]}; running: $line"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $line -qq >/dev/null
  else
    echo "setup: the system lacks ${missing[*]}. Run this, then try again:" >&2
    echo "  sudo $line" >&2
    exit 1
  fi
fi

# A stamp of what was installed makes the second call quick. A half-made environment has no stamp.
stamp=.venv/.spotcheck-setup
sum=$(cat requirements.txt pyproject.toml setup.py tools/setup.sh dsp/spotcheck_dsp/*.pyx dsp/spotcheck_dsp/*.[ch] | sha256sum | cut -c1-64)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && ls dsp/spotcheck_dsp/_slot_sums*.so >/dev/null 2>&1; then
  exit 0
fi
echo "setup: making .venv (the first time takes a minute or two)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --require-hashes -r requirements.txt
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
echo "$sum" > "$stamp"
echo "setup: done"
