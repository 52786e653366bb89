# Everything one does with this project. `make help` lists it.
PYTHON ?= python3
VENV ?= .venv
PROFILE ?= mini
DATA ?=
WEIGHTS ?=
SEED ?=
JOBS ?= 2
ARGS ?=
STUDY ?= folds
# installs what pip would, in a fraction of the time; where it cannot, pip does
UV ?= uv==0.13.9

# what is said of the data reaches the shell as it stands, by the environment: neither make nor the shell reads it
override DATA := $(value DATA)
override WEIGHTS := $(value WEIGHTS)
override PROFILE := $(value PROFILE)
override SEED := $(value SEED)
override STUDY := $(value STUDY)
export DATA WEIGHTS PROFILE SEED STUDY
# what is installed is compiled once, by the process that first needs it, and not by each one anew
export PYTHONDONTWRITEBYTECODE =

PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
GIVEN = $(if $(DATA),-p data "$$DATA") $(if $(WEIGHTS),-p weights "$$WEIGHTS") $(if $(SEED),-p seed "$$SEED") $(ARGS)
BOOK = exec "$(PY)" -m acp_lib.book "$$PROFILE" -j "$(JOBS)" $(GIVEN)

PYTEST = exec "$(PY)" -m pytest -n "$(JOBS)" --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv book pdf article test test-fast test-nightly bench record lint lock clean distclean

help: ## this list
	@echo "make TARGET [NAME=VALUE ...]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

venv: $(STAMP) ## the virtual environment in .venv, from requirements.txt

$(STAMP): requirements.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else \
	  "Python %d.%d found; 3.11 to 3.13 needed: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	"$(PYTHON)" -m venv "$(VENV)"
	@uv=$$(command -v uv) || { uv="$(VENV)/bin/uv"; export UV_CACHE_DIR="$(VENV)/.uv"; \
	    "$(PY)" -m pip install --quiet "$(UV)"; }; \
	  "$$uv" pip install --python "$(PY)" -r requirements.txt \
	  || { echo "uv did not do it, pip goes on"; "$(PY)" -m pip install -r requirements.txt; }
	rm -rf "$(VENV)/.uv"
	touch "$(STAMP)"

book: $(STAMP) ## the book; PROFILE=mini|folder|imac|emid DATA=folder WEIGHTS=file SEED=n JOBS=n ARGS="-p epochs 2"
	$(BOOK)

pdf: $(STAMP) ## as book, and the whole book and the article as PDFs, printed by Chromium or Chrome
	$(BOOK) --pdf book article

article: $(STAMP) ## as pdf, of the article alone
	$(BOOK) --pdf article

test: $(STAMP) ## every test but the nightly ones, a whole small book among them
	$(PYTEST) $(ARGS)

test-fast: $(STAMP) ## the tests that take a moment: neither book, slow nor nightly
	$(PYTEST) -m "not (book or slow or nightly)" $(ARGS)

test-nightly: $(STAMP) ## the tests that repeat at length what a shorter one of make test holds
	$(PYTEST) -m nightly $(ARGS)

bench: $(STAMP) ## the benchmarks: ratios measured in one run
	exec "$(PY)" -m benchmarks $(ARGS)

record: $(STAMP) ## a study too long for the book, into recorded/; STUDY=folds PROFILE=folder DATA=folder WEIGHTS=file
	exec "$(PY)" -m acp_lib record "$$STUDY" "$$PROFILE" $(GIVEN)

lint: $(STAMP) ## ruff and mypy
	"$(VENV)/bin/ruff" check .
	"$(PY)" -m mypy

lock: $(STAMP) ## requirements.txt and .ci/lowest.txt anew from pyproject.toml (needs uv)
	printf '%s\n' '-e .[test]' | uv pip compile --universal --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --upgrade -o requirements.txt -
	uv pip compile --resolution lowest-direct --python-version 3.11 --extra test --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --upgrade -o .ci/lowest.txt pyproject.toml

clean: ## remove books, results and caches; .venv and _work stay
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
	find acp_lib book tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove also .venv and _work: all features, trained models and the mini database
	rm -rf "$(VENV)" _work *.egg-info
