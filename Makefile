# SPDX-License-Identifier: Apache-2.0
# One door to every habit of this project. `make help` lists them; CI calls only these.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
LISTEN ?= 127.0.0.1:8080
DATA ?= ../shared/data
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z -]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: ## install what building and running need (Debian 12; root or sudo)
	@tools/setup.sh

.PHONY: setup-tests
setup-tests: ## install what the tests need, too
	@tools/setup.sh --tests

TESTS ?= ON
build-%:
	@mkdir -p build
	@cmake --preset $* -DUNMASK_TESTS=$(TESTS) >build/$*.log || { cat build/$*.log; exit 1; }
	@cmake --build --preset $* -j $(JOBS)

# Who only runs unmask neither installs nor builds its tests; a build folder that has them keeps them.
HAS_TESTS = $(if $(and $(wildcard build/release/build.ninja),$(shell grep -s UNMASK_TESTS:BOOL=ON build/release/CMakeCache.txt)),ON,OFF)

.PHONY: build
build: setup ## build the release program, build/release/unmask
	@$(MAKE) --no-print-directory build-release TESTS=$(HAS_TESTS)

.PHONY: serve
serve: build ## set up, build and serve on LISTEN (default 127.0.0.1:8080)
	@exec build/release/unmask serve --listen $(LISTEN)

.PHONY: test
test: setup-tests ## set up, build and run every test
	@$(MAKE) --no-print-directory build-release
	ctest --test-dir build/release --output-on-failure -j $(JOBS)
	.venv/bin/pytest -q tests training/tests/test_recipe_data.py

.PHONY: lint
lint: setup-tests ## check formatting, scripts and Python
	tools/lint.sh

.PHONY: format
format: ## format all C++ files in place
	@git ls-files '*.hpp' '*.cpp' | xargs clang-format-16 -i

.PHONY: asan tsan
asan tsan: setup-tests ## unit tests under the address and undefined-behaviour (asan) or thread (tsan) sanitizer
	@$(MAKE) --no-print-directory build-$@
	ctest --test-dir build/$@ --output-on-failure -j $(JOBS)

.PHONY: fuzz
fuzz: setup-tests ## build the fuzzers with clang and run each for FUZZ_SECONDS (default 60)
	@$(MAKE) --no-print-directory build-fuzz TESTS=OFF
	tools/fuzz.sh build/fuzz $(or $(FUZZ_SECONDS),60)

.PHONY: coverage
coverage: setup-tests ## line coverage of the unit tests
	@$(MAKE) --no-print-directory build-coverage
	ctest --test-dir build/coverage --output-on-failure -j $(JOBS)
	.venv/bin/gcovr -r . --filter src/ --exclude '.*_test\.cpp' build/coverage

.PHONY: bench
bench: setup-tests ## micro-benchmarks, then whole scans against plain decoding
	@$(MAKE) --no-print-directory build-bench TESTS=OFF
	set -e; for bench in build/bench/*_bench; do $$bench --benchmark_min_time=0.2; done
	tools/bench.py build/bench/unmask

.PHONY: bench-compat
bench-compat: setup-tests ## the contracts under load: requests a second, times, heartbeats (10 minutes)
	@$(MAKE) --no-print-directory build-release
	.venv/bin/python tools/bench_compat.py build/release/unmask

.PHONY: evaluate
evaluate: build ## measure the shipped model on the validation data in DATA, beside the aims (minutes)
	tools/evaluate.py build/release/unmask --data $(DATA)

.PHONY: train-setup
train-setup: ## make the Python environment of training/ (PyTorch, about 6 GB)
	training/setup.sh

.PHONY: train
train: train-setup build ## train, evaluate, calibrate and export the model from DATA (hours)
	training/reproduce.sh --data $(DATA)

.PHONY: train-check
train-check: train-setup build ## recompute the committed model's validation figures from DATA
	training/reproduce.sh --evaluate-only --data $(DATA)

FEEDBACK ?= feedback-set
REPLAY ?= $(DATA)
SERVED ?= models/face/4
OUT ?= candidates/face/5
.PHONY: retrain
retrain: train-setup build ## go on from the version SERVED with FEEDBACK and a replay of REPLAY; writes the version OUT
	training/.venv/bin/python training/retrain.py --served $(SERVED) --feedback $(FEEDBACK) --replay $(REPLAY) --out $(OUT)

.PHONY: learning-loop
learning-loop: setup-tests train-setup ## from feedback to a canary on sample media, in a temporary folder (docs/learning.md)
	@$(MAKE) --no-print-directory build-release
	tools/learning_loop.sh

.PHONY: clean
clean: ## remove build folders
	rm -rf build
