# Two commands on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1

.PHONY: demo test check doctor docs bench bench-layers bench-populations bench-tables clean

demo: $(VENV)/.installed
	$(BIN)/fitwell train sklearn:breast_cancer

test: check
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses=4 --dist worksteal --doctest-modules src tests
	@echo "Lines per file:" && wc -l $$(git ls-files 'src/*.py') | sort -n | tail -6

check: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.installed
	$(BIN)/python -m fitwell.doctor.codes.pages docs/doctor

doctor: $(VENV)/.installed-test
	$(BIN)/python -m tests.doctor.figures $(ARGS)

bench: benchmarks/.env/.installed
	benchmarks/.env/bin/python benchmarks/run.py $(ARGS)

bench-layers: benchmarks/.env/.installed
	benchmarks/.env/bin/python benchmarks/layers.py $(ARGS)

bench-populations: benchmarks/.env/.installed
	benchmarks/.env/bin/python benchmarks/populations.py $(ARGS)

bench-tables: benchmarks/.env/.installed
	benchmarks/.env/bin/python benchmarks/tables.py $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[test]'
	touch $@ $(VENV)/.installed

benchmarks/.env/.installed: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv benchmarks/.env
	benchmarks/.env/bin/python -m pip install --quiet -r benchmarks/requirements.txt
	benchmarks/.env/bin/python -m pip install --quiet -e .
	touch $@

clean:
	rm -rf $(VENV) benchmarks/.env build .mypy_cache .ruff_cache .hypothesis
