# `make demo` and `make test` each set up what they need.
.PHONY: setup demo app test lint app-shots station-plots campaign-coverage campaign-kill lock clean

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

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest

# 10,000 random verifications against the simulator's truth (about five minutes on two cores).
campaign-coverage: setup
	@mkdir -p build
	$(BIN)/spotcheck campaign coverage --runs 10000 --out build/coverage.md

# Kills daemon and host at random moments and looks for every acknowledged reading.
campaign-kill: setup
	$(BIN)/spotcheck campaign kill --runs 100 --out build/kill-campaign

# Renews the pins; hashes only, no download addresses.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate \
		--extra dev --extra app --extra device --extra lab pyproject.toml -o requirements.txt

clean:
	rm -rf $(VENV) build demo-output *.egg-info
