# `make help` lists the targets. Everything is installed into .venv, but for nasm: with apt-get, where that needs
# no password.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
CARGO_FLAGS := --locked
CORPORA :=
BENCH :=
FUZZ_SECONDS := 60
FUZZ_TARGETS :=
SOURCES := $(shell find src python -not -path '*__pycache__*' -not -name '*.so')
BUILD_FILES := $(SOURCES) Cargo.toml Cargo.lock pyproject.toml README.md THIRD-PARTY-NOTICES

# Last in PATH: the Rust that scripts/setup.sh fetches where there is none.
export PATH := $(PATH):$(abspath $(BIN))

# The time of each file in a wheel, so that a wheel that is built again is the same.
DATE := 1735689600

# PyO3 asks the same interpreter in every step, so that cargo's cache holds.
export PYO3_PYTHON := $(abspath $(BIN)/python)

# In CI, tests by property draw the same cases in each run, as those of hypothesis do.
ifdef CI
export PROPTEST_RNG_SEED := 1
endif

.DELETE_ON_ERROR:
.PHONY: help run test test-all lint lint-rust lint-python test-rust test-python test-oldest fuzz fuzz-asan soak reliability valgrind bench bench-report \
  bench-instructions peers test-libraries test-torch test-ray test-recipes docs test-docs drift wheel sdist check-sdist check-twice check-release notices \
  clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.installed ## preprocess the photos of this repository into out/
	$(BIN)/clipprep run photos --out out/tensors.npy --contact-sheet out/contact_sheet.png

test: $(VENV)/.tools ## run the checks of CI: lint, Rust tests, Python tests; no torch, no Ray
	@scripts/checks.py lint test-rust test-python

test-all: ## every check there is: test, torch, Ray, recipes, documentation, long fuzz and soak runs, release
	@scripts/checks.py --keep-going lint test-rust test-python test-libraries test-torch test-ray test-recipes test-docs fuzz soak \
	  check-release $(if $(shell command -v valgrind),valgrind)

# Beside each other: clippy has much to compile, and so has the wheel that the others need. Clippy takes the tests'
# profile, so that the libraries in C are compiled once for both.
lint: $(VENV)/.tools ## check formatting, lints, types, stubs, notices
	@$(MAKE) --no-print-directory --jobs 2 IS_LINT=1 lint-rust lint-python

# All else is made one after another, even with --jobs: most of it installs into one environment.
ifndef IS_LINT
.NOTPARALLEL:
endif

lint-rust: $(VENV)/.tools
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy $(CARGO_FLAGS) --profile test --features image --all-targets -- -D warnings
	cargo clippy $(CARGO_FLAGS) --profile test --features python -- -D warnings
	scripts/lint_arm.sh

lint-python: $(VENV)/.test-deps
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/stubtest clipprep._core
	$(BIN)/python scripts/options.py --check
	$(BIN)/python scripts/formats.py --check
	$(BIN)/python benches/speed.py --check
	$(BIN)/python scripts/repository.py --check
	$(BIN)/python scripts/third_party_notices.py --check

test-rust: $(VENV)/.tools ## test the Rust library, without Python
	cargo test $(CARGO_FLAGS) --features image

# A file of tests is run by one process, from its first test to its last; the order of the rooms spreads long files well.
test-python: $(VENV)/.test-deps ## test the installed wheel with pytest, on all cores
	@$(BIN)/python -c 'import clipprep, sys; found = clipprep.__file__; \
	  sys.exit(None if found.startswith(sys.prefix) else f"not the installed wheel: {found}")'
	$(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

# In an environment of its own.
test-oldest: dist/.built ## test the wheel with the oldest NumPy, Pillow and pyarrow that it allows
	rm -rf $(VENV)/oldest
	python3 -m venv $(VENV)/oldest
	$(VENV)/oldest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python scripts/oldest.py >$(VENV)/oldest/constraints.txt
	$(VENV)/oldest/bin/python -m pip install --quiet --group test --constraint $(VENV)/oldest/constraints.txt dist/*.whl
	$(VENV)/oldest/bin/pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

fuzz: $(VENV)/.test-deps ## compare damaged files with live Pillow, in a run of hours
	$(BIN)/python fuzz/mutate.py --simple
	$(BIN)/python fuzz/mutate.py --simple --truncated pad
	$(BIN)/python fuzz/mutate.py --count 200000
	$(BIN)/python fuzz/mutate.py --count 200000 --truncated pad

fuzz-asan: ## fuzz the Rust library with sanitizers, FUZZ_SECONDS=60 for each of FUZZ_TARGETS; needs cargo-fuzz and clang
	fuzz/targets.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

soak: $(VENV)/.test-deps ## make faults of every kind under load for five minutes: kills, forks, full disks
	$(BIN)/python tests/soak/soak.py --seconds 300
	$(BIN)/python tests/soak/runs.py

reliability: $(VENV)/.test-deps ## write the figures of docs/reliability.md anew: attacks, and a soak run
	$(BIN)/python scripts/attacks.py --markdown docs/reliability.md
	$(BIN)/python tests/soak/soak.py --seconds 300 --markdown docs/reliability.md

valgrind: $(VENV)/.test-deps ## look for memory errors in the decoders written in C; needs valgrind
	fuzz/valgrind.sh $(BIN)/python

bench: $(VENV)/.bench-deps ## measure against the peers; CORPORA="folder name=glob ..." of JPEG files, BENCH="--quick"
	$(BIN)/python benches/bench.py $(BENCH) $(CORPORA)

bench-report: $(VENV)/.bench-deps ## write docs/benchmarks.md, docs/goals.md and their pictures from the last run
	$(BIN)/python benches/report.py

bench-instructions: $(VENV)/.tools ## count the instructions of each stage; needs valgrind; BENCH="--against FILE"
	$(BIN)/python benches/instructions.py $(BENCH)

peers: $(VENV)/.bench-deps ## compare each config with its live library, into docs/configs.md; CORPORA="folder ..." of photos
	$(BIN)/python benches/configs.py --out docs/configs.md $(CORPORA)

test-libraries: $(VENV)/.libraries-deps ## compare names, objects and the image processor with the live libraries (3 GB)
	$(BIN)/pytest tests/configs $(wildcard tests/integrations/test_image_processor_*.py)

test-torch: $(VENV)/.torch-deps ## test clipprep.torch and its example, with torch (3 GB)
	$(BIN)/pytest tests/integrations/test_torch.py

test-ray: $(VENV)/.ray-deps ## test clipprep.ray, clipprep.arrow and their examples, on a local cluster
	$(BIN)/pytest tests/integrations/test_ray.py tests/integrations/test_arrow.py

test-recipes: $(VENV)/.recipes-deps ## run every code block of the documentation, with all that the recipes need
	CLIPPREP_RECIPES=all $(BIN)/pytest tests/integrations/test_documents.py tests/integrations/test_notebooks.py

docs: $(VENV)/.docs-deps ## build the documentation into out/site, from the sources alone: no torch, no Ray, no wheel
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

test-docs: docs $(VENV)/.test-deps ## test the site: links, names, and each page in Chromium, wide and narrow
	$(BIN)/pytest tests/integrations/test_site.py

drift: $(VENV)/.drift-deps ## draw the picture of docs/why.md anew, and its table
	$(BIN)/python scripts/drift.py

wheel: dist/.built ## build the wheel into dist/

sdist: $(VENV)/.tools ## build the source distribution of the last commit into dist/
	scripts/sdist.sh $(BIN)/maturin dist

check-sdist: sdist ## build the source distribution without a network
	scripts/sdist.sh --check $(BIN)/python dist

check-twice: $(VENV)/.tools ## build the wheel twice and compare the two byte for byte
	scripts/twice.sh $(BIN)/maturin

check-release: $(VENV)/.release-deps check-sdist check-twice ## check wheel, source distribution and crate as they would be published
	$(BIN)/python scripts/third_party_notices.py --check
	$(BIN)/auditwheel show dist/*.whl
	$(BIN)/python scripts/check_wheel.py dist/*.whl
	$(if $(shell command -v cargo-deny),cargo deny check,@echo 'cargo-deny is not installed: licences and advisories are not checked')
	cargo publish --dry-run --locked

notices: ## write THIRD-PARTY-NOTICES anew, after a change of dependencies
	scripts/third_party_notices.py

clean: ## remove all that was built or installed here
	rm -rf target dist out $(VENV)

# The stamp files below make each step run again only when its inputs have changed.

$(VENV)/.tools: scripts/setup.sh
	scripts/setup.sh $(VENV)
	@touch $@

dist/.built: $(VENV)/.tools $(BUILD_FILES)
	rm -f dist/*.whl
	SOURCE_DATE_EPOCH=$(DATE) $(BIN)/maturin build --release $(CARGO_FLAGS) --out dist
	@touch $@

$(VENV)/.installed: dist/.built
	$(PIP) install --force-reinstall --no-deps dist/*.whl
	$(PIP) install dist/*.whl
	@touch $@

$(VENV)/.docs-deps: $(VENV)/.tools pyproject.toml
	$(PIP) install --group docs
	@touch $@

# EXTRAS are those of pyproject.toml's users, GROUPS those of its developers.
$(VENV)/.%-deps: $(VENV)/.installed
	$(PIP) install "$$(echo dist/*.whl)$(EXTRAS)" $(GROUPS:%=--group %)
	@touch $@
$(VENV)/.test-deps: GROUPS := test lint
$(VENV)/.bench-deps: GROUPS := bench
$(VENV)/.release-deps: GROUPS := release
$(VENV)/.libraries-deps: EXTRAS := [hub,transformers]
$(VENV)/.libraries-deps: GROUPS := test libraries
$(VENV)/.torch-deps: EXTRAS := [torch]
$(VENV)/.torch-deps: GROUPS := test
$(VENV)/.ray-deps: EXTRAS := [ray]
$(VENV)/.ray-deps: GROUPS := test
$(VENV)/.recipes-deps: EXTRAS := [torch,ray]
$(VENV)/.recipes-deps: GROUPS := test recipes
$(VENV)/.drift-deps: GROUPS := drift
