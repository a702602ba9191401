# Two commands do all: `make run` (the main job, with its report) and `make test`.
VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin

.PHONY: install run test lint bench matrix needles kernel gpu smoke site clean

install: $(VENV)/.installed  ## with what tests, lint, benchmarks and lessons need

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(VENV)/.runs $@

$(VENV)/.runs: pyproject.toml constraints.txt  # what a run needs: wheels only, no compiler
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --only-binary :all: --constraint constraints.txt --editable .
	touch $@

run: $(VENV)/.runs      ## train, clear, account, audit and report on the embedded task
	$(BIN)/marketproof run

test: install           ## the test suite (fast tests; add ARGS='-m slow' for the slow ones)
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: install           ## style, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install          ## every speed claim, each against a named other side in the same run
	$(BIN)/python benchmarks/run_all.py

matrix: install         ## every mechanism against every property; fails where evidence and theory disagree
	$(BIN)/python docs/matrix.py

needles: install        ## generated mechanisms with planted defects: how many are refuted, and is a sound one accused
	$(BIN)/python benchmarks/needles/needles.py $(ARGS)

kernel:                 ## the Coq proofs: built, accepted by coqchk, assumptions held against a list, recorded
	$(PYTHON) proofs_checks/kernel/check.py

gpu: install            ## on a CUDA device: parity, every task, privacy, adapters, speed, memory, into docs/results/gpu.md
	$(if $(DATA),MARKETPROOF_DATA=$(DATA)) $(BIN)/python benchmarks/gpu.py $(ARGS)

smoke: install          ## every method on every task at scale smoke; DATA=DIR where the data sets lie
	$(if $(DATA),MARKETPROOF_DATA=$(DATA)) $(BIN)/python benchmarks/smoke.py $(ARGS)

site: $(VENV)/.site/.installed  ## the documentation as pages with a search, into build/site/html; offline once installed
	PYTHONPATH=. $(VENV)/.site/bin/python docs/site/build.py

$(VENV)/.site/.installed: docs/site/requirements.txt $(VENV)/.runs  # the generator, beside what it documents
	$(PYTHON) -m venv $(VENV)/.site
	$(VENV)/.site/bin/pip install --quiet --only-binary :all: --no-deps --requirement docs/site/requirements.txt
	$(BIN)/python -c "import sysconfig; print('import site; site.addsitedir(%r)' % sysconfig.get_path('purelib'))" \
		> `$(VENV)/.site/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"`/marketproof.pth
	touch $@

clean:
	rm -rf $(VENV) runs build dist *.egg-info
