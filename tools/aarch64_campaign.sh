#!/usr/bin/env bash
# Builds the package for aarch64, runs the tests of its kernels there under qemu-user, and compares
# the digests of the exact sums with this machine's. About three minutes, and 70 MB from the network.
# The system's apt configuration only lends its sources and keys: lists, cache and packages stay
# under build/aarch64.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v aarch64-linux-gnu-gcc >/dev/null || missing+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
command -v dpkg-deb >/dev/null && command -v apt-get >/dev/null || missing+=(apt dpkg)
if [ ${#missing[@]} -gt 0 ]; then
  echo "aarch64: the system lacks ${missing[*]}: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

python=.venv/bin/python
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
tag=cp${version/./}
build=$PWD/build/aarch64
root=$build/root
site=$build/site
source=$build/source
mkdir -p "$build/apt/lists/partial" "$build/apt/cache/archives/partial"

# Debian's arm64 Python of the same version, with the libraries and headers that it needs.
apt=(apt-get -q
  -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Install-Recommends=false
  -o Dir::State::Lists="$build/apt/lists" -o Dir::Cache="$build/apt/cache"
  -o Dir::State::status=/dev/null -o Debug::NoLocking=true
  -o APT::Sandbox::User="$(id -un)")
if [ ! -e "$root/.unpacked" ]; then
  "${apt[@]}" update >"$build/apt.log" 2>&1 || { tail -5 "$build/apt.log" >&2; exit 1; }
  "${apt[@]}" -y --download-only install "python$version-minimal" "libpython$version-stdlib" \
    "libpython$version-dev" libstdc++6 >>"$build/apt.log" 2>&1 || { tail -5 "$build/apt.log" >&2; exit 1; }
  rm -rf "$root"
  mkdir -p "$root"
  for package in "$build"/apt/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$root"
  done
  touch "$root/.unpacked"
fi
emulated=(env PYTHONHOME="$root/usr" PYTHONPATH="$site" PYTHONDONTWRITEBYTECODE=1
  qemu-aarch64 -L "$root" "$root/usr/bin/python$version")

# The pinned NumPy and what the tests need, by their hashes.
pinned() {
  for name in "$@"; do
    awk -v name="$name" 'index($0, name "==") == 1 { on = 1 } on { print; if (!/\\$/) on = 0 }' requirements.txt
  done
}
rm -rf "$site"
pinned numpy hypothesis sortedcontainers pytest iniconfig packaging pluggy pygments >"$build/requirements.txt"
"$python" -m pip install --quiet --require-hashes --no-deps --target "$site" --only-binary :all: \
  --implementation cp --python-version "$version" --abi "$tag" --abi abi3 --abi none \
  --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
  -r "$build/requirements.txt"

# The wheel, from a copy without what was built for this machine. Debian's own record of how its
# arm64 Python was made names the compiler, the flags and the suffix.
rm -rf "$source" "$build/wheel" "$build/sysconfig"
mkdir -p "$source" "$build/sysconfig"
tar -c --exclude='*.so' --exclude='dsp/spotcheck_dsp/_*.c' --exclude='*.egg-info' --exclude=__pycache__ \
  setup.py pyproject.toml README.md LICENSE domain dsp device calibration host_app hw_sim | tar -x -C "$source"
cp "$root/usr/lib/python$version"/_sysconfigdata__aarch64-linux-gnu.py "$build/sysconfig"
record=_sysconfigdata__aarch64-linux-gnu
env _PYTHON_HOST_PLATFORM=linux-aarch64 _PYTHON_SYSCONFIGDATA_NAME="$record" PYTHONPATH="$build/sysconfig" \
  CFLAGS="-I$root/usr/include/python$version -idirafter $root/usr/include" \
  "$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$build/wheel" "$source"
wheel=$(ls "$build"/wheel/*-linux_aarch64.whl)
"$python" -m zipfile -e "$wheel" "$site"

echo "aarch64: $(basename "$wheel"), $("${emulated[@]}" -VV), $(aarch64-linux-gnu-gcc --version | head -n1)"
echo "aarch64: $(qemu-aarch64 --version | head -n1), $(grep -m1 '^numpy==' "$build/requirements.txt" | cut -d' ' -f1)"
printf '[pytest]\n' >"$build/pytest.ini"
# Hypothesis sets no deadlines when CI is set; an emulator would miss them.
env CI=true "${emulated[@]}" -m pytest -c "$build/pytest.ini" --rootdir "$PWD" --import-mode=importlib \
  -Werror -p no:cacheprovider -q tests/dsp/test_slot_sums.py tests/dsp/test_mains_core.py tests/dsp/test_mains_stream.py

"${emulated[@]}" tests/dsp/kernel_digest.py >"$build/there.json"
"$python" tests/dsp/kernel_digest.py >"$build/here.json"
"$python" - "$build/here.json" "$build/there.json" <<'PY'
import json
import sys
from pathlib import Path

here, there = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
digests = {*here["digests"].values(), *there["digests"].values()}
apart = max(abs(a - b) for part in ("real", "imaginary")
            for one, other in zip(here[part], there[part], strict=True)
            for a, b in zip(one, other, strict=True))
print(f"aarch64: sums {', '.join(here['sums'])} here and {', '.join(there['sums'])} there, "
      f"digest {' '.join(sorted(d[:16] for d in digests))}")
print(f"aarch64: phasors differ by {apart / (4e6 / 2 ** 0.5):.1e} of their RMS at most")
if len(digests) != 1 or "neon" not in there["sums"] or not apart < 1e-7 * 4e6 / 2**0.5:
    sys.exit("aarch64: the results differ")
PY
echo "aarch64: done"
