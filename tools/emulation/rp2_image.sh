#!/usr/bin/env bash
# rp2_image.sh MANIFEST NAME: builds MicroPython for the Raspberry Pi Pico from Debian trixie's
# source packages, frozen with MANIFEST: build/rp2/NAME.bin and .uf2. About three minutes at first
# (25 MB from the network), one minute afterwards.
# The system's apt configuration only lends its mirror and keys: lists, cache and sources stay
# under build/rp2.
set -euo pipefail
manifest=$(realpath "$1")
name=$2
cd "$(dirname "$0")/../.."

missing=()
command -v arm-none-eabi-gcc >/dev/null || missing+=(gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib)
command -v cmake >/dev/null || missing+=(cmake)
command -v make >/dev/null || missing+=(make)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
command -v g++ >/dev/null || missing+=(g++)
command -v dpkg-source >/dev/null || missing+=(dpkg-dev)
if [ ${#missing[@]} -gt 0 ]; then
  echo "rp2: the system lacks ${missing[*]}: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

build=$PWD/build/rp2
source=$build/source
micropython=$source/micropython
log=$build/$name.log
mkdir -p "$build/apt/lists/partial" "$build/apt/cache/archives/partial" "$build/apt/parts"

unpack() {
  local mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
  # The mirror that this machine takes Debian from; trixie has MicroPython 1.25 and the Pico's SDK.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n1)
  printf '%s [signed-by=%s] %s trixie main\n' deb "$keys" "$mirror" deb-src "$keys" "$mirror" >"$build/apt/sources.list"
  local options=(-q
    -o Dir::Etc::SourceList="$build/apt/sources.list" -o Dir::Etc::SourceParts="$build/apt/parts"
    -o Dir::State::Lists="$build/apt/lists" -o Dir::Cache="$build/apt/cache"
    -o Dir::State::status=/dev/null -o Debug::NoLocking=true
    -o APT::Sandbox::User="$(id -un)")
  apt-get "${options[@]}" update
  rm -rf "$source"
  mkdir -p "$source"
  cd "$source"
  apt-get "${options[@]}" source --download-only micropython mbedtls
  apt-get "${options[@]}" download pico-sdk-source tinyusb-source
  for package in *.deb; do dpkg-deb -x "$package" packages; done
  dpkg-source --no-check -x micropython_*.dsc micropython
  dpkg-source --no-check -x mbedtls_*.dsc mbedtls
  # Debian's source leaves these empty; the packages hold them. The file is what cmake looks for.
  rm -rf micropython/lib/{pico-sdk,tinyusb,mbedtls}
  ln -s "$PWD/packages/usr/src/pico-sdk" "$PWD/packages/usr/src/tinyusb" "$PWD/mbedtls" micropython/lib/
  touch micropython/lib/micropython-lib/README.md
  make -s -C micropython/mpy-cross -j2
  touch .unpacked
}

if [ ! -e "$source/.unpacked" ]; then
  (unpack) >"$log" 2>&1 || { tail -5 "$log" >&2; exit 1; }
fi
{
  cmake -S "$micropython/ports/rp2" -B "$build/$name" -DMICROPY_BOARD=SPOTCHECK \
    -DMICROPY_BOARD_DIR="$PWD/device/firmware/rp2/board" -DPICO_NO_PICOTOOL=1 \
    -DMICROPY_FROZEN_MANIFEST="$manifest" &&
    make -s -C "$build/$name" -j2
} >"$log" 2>&1 || { tail -5 "$log" >&2; exit 1; }
cp "$build/$name/firmware.bin" "$build/$name.bin"
python3 "$micropython/tools/uf2conv.py" -f 0xe48bff56 -b 0x10000000 -c -o "$build/$name.uf2" "$build/$name.bin" >>"$log"
echo "rp2: build/rp2/$name.uf2, $(stat -c %s "$build/$name.bin") bytes of flash"
