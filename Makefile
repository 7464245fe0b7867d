# `make demo` and `make test` each set up what they need.
.PHONY: setup demo app test lint app-shots station-plots dsp-pictures bench-accuracy bench-speed \
	bench-sources campaign-gaps \
	campaign-clock campaign-coverage campaign-kill campaign-faults campaign-plan campaign-sequential \
	campaign-aarch64 campaign-emulation campaign-links campaign-wire bench-wire rp2-firmware \
	firmware-coverage lock clean

VENV := .venv
BIN := $(VENV)/bin

setup:
	@tools/setup.sh

demo: setup
	@$(BIN)/spotcheck demo --out demo-output

# The window of a verification, with a simulated meter and instrument.
app: setup
	@$(BIN)/spotcheck app --demo --out demo-output/app

# Pictures of every state of the window, in Chinese and English (about three minutes).
app-shots: setup
	$(BIN)/python tools/app_shots.py build/app-shots

# The pictures of docs/recordings.md, from the two station recordings in ../shared/data.
station-plots: setup
	$(BIN)/python tools/station_plots.py

# The pictures of docs/explanations/dsp.md.
dsp-pictures: setup
	$(BIN)/python tools/dsp_pictures.py docs/images

# Errors of the arithmetic against closed forms, beside naive methods (about twenty minutes).
bench-accuracy: setup
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/accuracy_windows.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/accuracy_harmonics.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/accuracy_pulses.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/detector_rates.py

# CPU time of the kernels and of the whole way, beside the peers, which are installed first.
bench-speed: setup
	$(BIN)/python -m pip install --quiet --require-hashes -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/kernel_speed.py

# An hour of eight channels at 32 kS/s, then three minutes with a hung disk (about seven minutes).
bench-sources: setup
	PYTHONPATH=benchmarks nice $(BIN)/python benchmarks/sustained_rate.py --seconds 3600
	PYTHONPATH=benchmarks nice $(BIN)/python benchmarks/back_pressure.py --seconds 180

# Losses of 1 to 1000 frames at random places of a converter's stream (about five minutes).
campaign-gaps: setup
	PYTHONPATH=benchmarks nice $(BIN)/python benchmarks/gap_campaign.py --rounds 10

# Risk and time of the sequential verdict over 100,000 sequences a scene (about a minute).
campaign-sequential: setup
	PYTHONPATH=benchmarks $(BIN)/python benchmarks/sequential_verdict.py

# The kernels as an aarch64 wheel, tested under an emulator (two minutes, 280 MB under build/).
campaign-aarch64: setup
	tools/aarch64_campaign.sh

# The pulse front end's image for the Raspberry Pi Pico, build/rp2/front_end.uf2 (three minutes).
rp2-firmware:
	tools/emulation/rp2_image.sh device/firmware/rp2/manifest.py front_end

# Edges into that image under an emulator, and what its HAL made of them (half an hour).
campaign-emulation: setup
	tools/emulation/campaign.sh

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest -n 2 --dist loadfile

# 10,000 random verifications against the simulator's truth (about ten minutes on two cores).
campaign-coverage: setup
	@mkdir -p build
	$(BIN)/spotcheck campaign coverage --runs 10000 --out build/coverage.md

# Clocks of known course with PPS: error of the rate, and whether U holds (about ten minutes).
campaign-clock: setup
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/clock_wander.py

# Kills daemon and host at random moments and looks for every acknowledged reading.
campaign-kill: setup
	$(BIN)/spotcheck campaign kill --runs 100 --out build/kill-campaign

# Every kind of fault at every step of every protocol, two seeds each (about four minutes).
campaign-faults: setup
	$(BIN)/spotcheck campaign faults --seeds 2 --out docs/fault-matrix.md

# Sixty load points, about an hour of stream, in one process (half a minute).
campaign-plan: setup
	@mkdir -p build
	$(BIN)/spotcheck campaign plan --out build/plan.md

# Which lines of the front end's firmware run under MicroPython (15 s).
firmware-coverage: setup
	$(BIN)/python tools/firmware_coverage.py

# Attacks a million records of secure sessions (about ten minutes).
campaign-links: setup
	$(BIN)/spotcheck campaign links --attacks 1000000 --workers 2

# Damages ten million frames and message bodies (about ten minutes).
campaign-wire: setup
	$(BIN)/spotcheck campaign wire --inputs 10000000 --workers 2

# Small frames a second on a pty, beside a peer.
bench-wire: setup
	$(BIN)/python benchmarks/wire_speed.py

# Renews the pins; hashes only, no download addresses.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate \
		--extra dev --extra app --extra device --extra lab pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate \
		--extra bench --constraint requirements.txt pyproject.toml -o benchmarks/requirements.txt

clean:
	rm -rf $(VENV) build demo-output *.egg-info
