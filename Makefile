# Needs only Python >= 3.11, git and make. Each command does its own set-up; a second call skips it.
#   PYTHON=python3.12      another interpreter          PIP_FLAGS="..."   handed to every pip install
#   ROW=cifar-pgd-l2           for `make zoo`
#   PORT=8001              for `make serve`             ARGS="-k zoo"     handed to pytest
#   SHEET=maxima SUBMISSIONS=folder GRADES=folder      for `make grade` (ARGS goes to it, too)

SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
ROW ?= fashion-fgsm
GRADES ?= grades/$(SHEET)
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check $(PIP_FLAGS)
# Threads that wait for each other must not spin: on a busy machine that costs most of its time.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help book test lab serve notebooks assignments grade .told-what-to-grade zoo bench clean distclean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo "make book       build the book: environment, every chapter executed, HTML, checks"
	@echo "make serve      open the built book in your browser"
	@echo "make lab        open the chapters as notebooks in JupyterLab"
	@echo "make test       run every test, the browser tests of the built book included"
	@echo "make notebooks  write the notebook beside each page again"
	@echo "make assignments  build the sheets: notebooks, solutions, rubrics, autograders"
	@echo "make grade      grade a folder of notebooks (SHEET=formulation SUBMISSIONS=folder)"
	@echo "make zoo        train one row of the zoo's table again and compare it (ROW=cifar-pgd-l2)"
	@echo "make bench      measure the speed; results go to benchmarks/results/"
	@echo "make clean      remove the built book and its caches (distclean: the environment too)"

book: $(VENV)/.ready-book
	@$(PY) -m scripts.build_book

test: $(VENV)/.ready-test book
	@$(PY) -m scripts.chromium --install
	$(PY) -m pytest $(ARGS)

# As root (a container) JupyterLab has to be told that this is meant.
lab: $(VENV)/.ready-book
	JUPYTER_CONFIG_PATH=$(CURDIR)/.jupyter PYTHONPATH=$(CURDIR) \
	  $(PY) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) intro.md

serve:
	@$(PYTHON) -m scripts.serve $(PORT)

notebooks: $(VENV)/.ready-book
	@$(PY) -m scripts.notebooks

# For teachers: what is handed out, and what is not, in _build/assignments.
assignments: $(VENV)/.ready-assignments
	@$(PY) -m classroom build

# Each notebook runs in a sandbox; grades stay outside _build, which `make clean` removes.
grade: .told-what-to-grade $(VENV)/.ready-book
	@$(PY) -m classroom grade $(SHEET) "$(SUBMISSIONS)" --out "$(GRADES)" $(ARGS)

.told-what-to-grade:
	@if [ -z "$(SHEET)" ] || [ -z "$(SUBMISSIONS)" ]; then \
	  echo "make grade SHEET=formulation SUBMISSIONS=folder [GRADES=folder]"; exit 2; fi

# From nothing: the three networks of a row, then its numbers beside those of the book.
zoo: $(VENV)/.ready-book
	$(PY) -m scripts.train_zoo --folder _build/zoo --row $(ROW)
	$(PY) -m scripts.measure_zoo --folder _build/zoo --row $(ROW)

bench: $(VENV)/.ready-bench
	PYTHONPATH=.bench $(PY) benchmarks/run.py
	PYTHONPATH=.bench $(PY) benchmarks/recognition.py

clean:
	rm -rf _build build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) .bench *.egg-info

# ---- environments: a stamp a set of requirements ---------------------------------------------------

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	    echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-book: requirements.txt constraints.txt pyproject.toml | $(PY)
	@echo "Installing the pinned packages into $(VENV) (some minutes the first time) ..."
	$(PIP) -r requirements.txt -c constraints.txt
	$(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.ready-test: requirements-test.txt $(VENV)/.ready-book
	$(PIP) -r requirements-test.txt -c constraints.txt
	@touch $@

$(VENV)/.ready-assignments: requirements-assignments.txt $(VENV)/.ready-book
	$(PIP) -r requirements-assignments.txt -c constraints.txt
	@touch $@

# The contestants want older packages than the book: their own folder, seen by the benchmark alone.
$(VENV)/.ready-bench: requirements-bench.txt $(VENV)/.ready-test
	rm -rf .bench
	$(PIP) --no-deps --target .bench -r requirements-bench.txt
	@touch $@
