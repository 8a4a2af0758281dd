# A machine with Python (3.11 to 3.13) and make is enough: uv is fetched into .uv/ when it is missing.
PORT ?= 8000
PYTHON ?= python3
DATA ?= ../shared/data
UV := $(or $(shell command -v uv),.uv/bin/uv)
RUN := $(UV) run --no-sync

.PHONY: serve test check check-page page fmt train bench battery setup
serve: setup-serve  ## serve both models on 127.0.0.1:$(PORT)
	$(RUN) shapserve serve --port $(PORT)

test: setup  ## run all the tests
	$(RUN) pytest -n 2 --dist loadfile

check: setup  ## lint and types
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

check-page:  ## types and tests of the page; building it gives the files that are committed
ifeq ($(shell command -v npm),)
	@echo "npm is missing: whether service/static is what web/ builds is not checked"
else
	cd web && npm ci --silent --no-audit --no-fund && npm run --silent check && npm run --silent test && npm run --silent build
	@test -z "$$(git status --porcelain service/static)" || { git status --short service/static; echo "service/static is not what web/ builds: commit what make page makes" >&2; exit 1; }
endif

page:  ## build the page from web/ into service/static
	cd web && npm ci --silent --no-audit --no-fund && npm run build

fmt: setup  ## format, and mend what can be mended
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

train: setup-serve  ## train both models from $(DATA) into trained/ (the shipped folders stay as they are)
	$(RUN) shapserve train titanic --data $(DATA)/titanic/train.csv
	$(RUN) shapserve train fashion-mnist --data $(DATA)/fashion-mnist

bench: setup  ## measure speed and error, and write benchmarks/results.md; PARTS=speed measures a part
	$(RUN) python -m benchmarks --data $(DATA) $(PARTS)

battery: setup  ## try what is promised under load, faults and bad input, into docs/reliability.md; goes on where it was stopped; PARTS=golden
	$(RUN) python -m benchmarks.battery $(PARTS)

.PHONY: setup-serve
setup: | $(UV)
	$(UV) sync --quiet --locked --compile-bytecode

setup-serve: | $(UV)
	$(UV) sync --quiet --locked --no-dev --inexact --compile-bytecode

.uv/bin/uv:
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "pip is missing: install the package python3-pip, or uv itself, and try again" >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv uv
