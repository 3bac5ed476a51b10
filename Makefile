# Two commands do all the set-up: `make localize PHOTO=path/to/photo.jpg` and `make test`.
# The stamps in .venv make every later run start at once; a change of pyproject.toml makes the set-up run again.

PYTHON ?= python3
ARGS ?=# options of `geosleuth localize`, such as ARGS="--json"
VENV := .venv
BIN := $(VENV)/bin
SCENE := out/street-scene.jpg
LABELS ?=# CSV of labelled photos: file, lat, lon, country
PHOTOS ?= $(dir $(LABELS))
export PHOTO

.PHONY: localize test lint audit bench evidence clean help
.DELETE_ON_ERROR:

help:
	@echo 'make localize PHOTO=path/to/photo.jpg   where was it taken? (without PHOTO: a street scene drawn here)'
	@echo 'make test                               lint, types, the order of imports, tests: at most 20 minutes'
	@echo 'make audit                              known weaknesses of what is installed, and its bill of materials'
	@echo 'make bench                              times of a cold and of a warm start, share of each tool'
	@echo 'make evidence LABELS=... PHOTOS=...      the long measurements behind the tables of docs/evidence'

# The path goes through the environment: it may hold blanks, quotes and dollar signs.
localize: $(VENV)/.base
	@if [ -z "$$PHOTO" ]; then PHOTO=$(SCENE); $(BIN)/python -m geosleuth.ui.demo_scene "$$PHOTO"; fi; \
	$(BIN)/geosleuth localize "$$PHOTO" $(ARGS)

# Two processes, a file each: most tests keep one core busy; hence one thread each. In the chat's tests a server and a
# browser share the cores, and their times are measured: they run by themselves afterwards, with all threads.
test: lint
	@failed=0; \
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow" -n 2 --dist loadfile --ignore tests/browser || failed=1; \
	$(BIN)/pytest -m "not slow" tests/browser || failed=1; \
	exit $$failed

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Says what it could not ask about; ARGS=--strict makes that an error.
audit: $(VENV)/.dev
	@$(BIN)/python .ci/audit.py $(ARGS)

bench: $(VENV)/.base
	@$(BIN)/python benchmarks/photo.py

evidence: $(VENV)/.dev
	@[ -f "$(LABELS)" ] || { echo 'Wanted labelled photos; found no file "$(LABELS)". Name them: make evidence LABELS=labels.csv PHOTOS=FOLDER' >&2; exit 2; }
	@$(BIN)/python -m geosleuth.training.evaluate table --labels "$(LABELS)" --photos "$(PHOTOS)" --out docs/evidence/embedded.md
	@$(BIN)/pytest -m slow || [ $$? -eq 5 ]  # 5: there is no slow test

clean:
	rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# A stamp is touched last, so an interrupted set-up is taken up again by the next run.
$(VENV)/.base: pyproject.toml
	@.ci/environment "$(PYTHON)" "$(VENV)" .
	@touch $@

$(VENV)/.dev: pyproject.toml
	@.ci/environment "$(PYTHON)" "$(VENV)" '.[dev]'
	@touch $(VENV)/.base $@
