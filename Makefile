# Two commands for a newcomer: `make demo` and `make test`. Everything happens in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(if $(filter Windows_NT,$(OS)),$(VENV)/Scripts,$(VENV)/bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# The packages are the index's; no part of set-up or run talks to a model hub.
export HF_HUB_OFFLINE := 1
export HF_DATASETS_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test test-slow test-notebooks lint notebooks train benchmark-accuracy benchmark-speed clean

demo: $(VENV)/library.stamp
	$(BIN)/stance predict seeds/seed_article.txt

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(VENV)/workshop.stamp
	$(BIN)/python -m pytest -m slow

test-notebooks: $(VENV)/workshop.stamp
	$(BIN)/python -m pytest -m "" tests/test_notebooks.py

lint: $(VENV)/workshop.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(VENV)/workshop.stamp
	$(BIN)/python notebooks/execute.py

train: $(VENV)/workshop.stamp
	$(BIN)/python -m training.train training/base.toml --run runs/first
	$(BIN)/python -m training.train training/second.toml --run runs/second
	$(BIN)/python -m training.average runs/first/model runs/second/model --output runs/half
	$(BIN)/python -m training.train training/third.toml --run runs/third
	$(BIN)/python -m training.train training/fourth.toml --run runs/fourth
	$(BIN)/python -m training.train training/fifth.toml --run runs/fifth
	$(BIN)/python -m training.average runs/fourth/model runs/fifth/model --settings training/fourth.toml --output runs/tagged
	$(BIN)/python -m training.train training/sixth.toml --run runs/sixth
	for seed in 84 85 86; do \
	  $(BIN)/python -m training.train training/seventh.toml --seed $$seed --run runs/seventh-$$seed --output runs/seventh-$$seed/model || exit; \
	done
	$(BIN)/python -m training.average runs/seventh-84/model runs/seventh-85/model runs/seventh-86/model --settings training/seventh.toml --output runs/seventh
	$(BIN)/python -m training.train training/eighth.toml --run runs/eighth
	$(BIN)/python -m training.average runs/seventh runs/eighth/model --settings training/eighth.toml --output runs/eighth-mean
	$(BIN)/python -m training.train training/ninth.toml --run runs/ninth
	$(BIN)/python -m training.average runs/eighth-mean runs/ninth/model --shares 0.65 0.35 --settings training/ninth.toml --output runs/ninth-mean
	$(BIN)/python -m training.train training/tenth.toml --run runs/tenth
	$(BIN)/python -m training.train training/tenth_newsmtsc.toml --run runs/tenth-newsmtsc
	$(BIN)/python -m training.average runs/ninth-mean runs/tenth/model runs/tenth-newsmtsc/model --shares 0.25 0.6 0.15 --settings training/tenth.toml --output runs/tenth-mean
	$(BIN)/python -m training.roots runs/tenth-mean --settings training/tenth.toml --output runs/tenth-roots
	$(BIN)/python -m training.train training/eleventh.toml --run runs/eleventh
	$(BIN)/python -m training.train training/twelfth.toml --run runs/twelfth
	$(BIN)/python -m training.average runs/tenth-roots runs/eleventh/model runs/twelfth/model --shares 0.4 0.3 0.3 --settings training/twelfth.toml --output runs/twelfth-mean
	$(BIN)/python -m training.train training/thirteenth.toml --run runs/thirteenth
	$(BIN)/python -m training.average runs/tenth-roots runs/eleventh/model runs/thirteenth/model --shares 0.55 0.3 0.15 --settings training/thirteenth.toml --output runs/thirteenth-mean
	$(BIN)/python -m training.roots runs/thirteenth-mean --settings training/tenth.toml --output runs/thirteenth-roots
	$(BIN)/python -m training.train training/fourteenth.toml --run runs/fourteenth
	$(BIN)/python -m training.train training/fourteenth_newsmtsc.toml --run runs/fourteenth-newsmtsc
	$(BIN)/python -m training.average runs/thirteenth-roots runs/fourteenth/model runs/fourteenth-newsmtsc/model --shares 0.3 0.2 0.5 --settings training/fourteenth.toml --output runs/fourteenth-mean
	$(BIN)/python -m training.roots runs/fourteenth-mean --settings training/tenth.toml --output models/base

benchmark-accuracy: $(VENV)/workshop.stamp
	$(BIN)/python -m benchmarks.accuracy

benchmark-speed: $(VENV)/workshop.stamp
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.plot_speed

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stance needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/library.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/workshop.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[training,dev,notebooks]'
	touch $@ $(VENV)/library.stamp
