# Two commands do everything: `make reproduce` and `make test`. Each target sets up what it needs in .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV := $(shell command -v uv || echo $(BIN)/uv)
READY := .venv/.ready
SITE_READY := .venv/.ready-site

# What is compiled is kept, whatever the shell says: the tests start hundreds of programs.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: reproduce test test-all test-browser site public all lab lint clean data manifest notebooks editions lock bench validate

reproduce: $(READY)  ## run the whole collection on the built-in data; say what was found
	@$(BIN)/cape reproduce

test: $(READY)  ## pytest, then every committed notebook run again and compared (nbval)
	@PYTHONPATH=tests $(BIN)/python -m pytest -p without_grammars -q -n 2 --dist loadfile --nbval --nbval-current-env tests capelib notebooks/[0-9]*.ipynb

test-all: $(READY)  ## what `make test` leaves out: slow tests, and all examples of tests that draw them
	@PYTHONPATH=tests $(BIN)/python -m pytest -p without_grammars -q -n 2 --dist loadfile -m "slow or hypothesis" --hypothesis-profile=all tests

site: $(SITE_READY)  ## the pages, into build/site; only runs that have changed are made again first
	@mkdir -p build
	@$(BIN)/cape reproduce > build/reproduce.txt || { cat build/reproduce.txt; exit 1; }
	@$(BIN)/cape site

public: site  ## build/public: the current edition, and every edition below its name, without what was withdrawn since
	@$(BIN)/cape site --out build/public
	@for edition in $$($(BIN)/python -c 'from capelib.vocabulary.codebook import codes; print(*codes("edition"))'); do \
	  $(BIN)/cape reproduce -p edition=$$edition --out build/editions > build/reproduce.txt || { cat build/reproduce.txt; exit 1; }; \
	  $(BIN)/cape site --edition $$edition --figures build/editions --out build/public/$$edition || exit 1; \
	done

test-browser: site  ## the pages in a real browser
	@command -v chromium > /dev/null || { test "$$(id -u)" = 0 && apt-get -qq update && apt-get -qq install -y chromium; } \
	  || { echo "chromium is needed: apt install chromium"; exit 1; }
	@$(BIN)/python -m pytest -q -p no:cacheprovider -n 2 --dist worksteal -m "" tests/browser

all:  ## after a change by hand: package, counts, notebooks and figures are made again; git shows what changed
	@$(MAKE) --no-print-directory data
	@$(MAKE) --no-print-directory manifest
	@$(MAKE) --no-print-directory notebooks
	@$(MAKE) --no-print-directory reproduce
	@$(MAKE) --no-print-directory manifest  # the README's verdicts come from what was reproduced
	@$(MAKE) --no-print-directory editions

lab: $(READY)  ## JupyterLab with the environment; make lab ARGS="--no-browser --port=8889"
	@$(BIN)/cape lab . -- $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright

data: $(READY)  ## rewrite data/datapackage.json after a change of tables or codebook
	@$(BIN)/python -m capelib.vocabulary.package

manifest: $(READY)  ## rewrite tests/data_manifest.toml, and numbers and verdicts in the READMEs
	@$(BIN)/python tests/manifest.py

notebooks: $(READY)  ## execute the committed notebooks in place
	@$(BIN)/jupyter nbconvert --log-level ERROR --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/[0-9]*.ipynb notebooks/lessons/*.ipynb notebooks/lessons/solutions/*.ipynb

editions: $(READY)  ## rewrite docs/editions.md: what changed since the first edition, and which answers moved by it
	@$(BIN)/python -m capelib.runs.editions

validate: $(READY)  ## docs/validation.md: bias and coverage of every estimator on 1,000 made-up records; docs/power.md
	@$(BIN)/python -m capelib.validation --resume $(if $(TWINS),--twins $(TWINS))

bench: $(READY)  ## speed as ratios, in docs/; benchmarks/sweep.py, kills.py and fuzz.py take longer and are run by hand
	@$(BIN)/python benchmarks/loading.py
	@$(BIN)/python benchmarks/collection.py
	@$(BIN)/python benchmarks/cleaning.py

lock: $(READY)  ## choose new versions of all packages
	@$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --python-version 3.11 --extra dev pyproject.toml -o requirements.lock
	@$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --python-version 3.11 --extra dev --extra site --extra browser -c requirements.lock pyproject.toml -o requirements-site.lock

clean:
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Try: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@command -v $(UV) > /dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check uv
	@VIRTUAL_ENV=.venv $(UV) pip install -q --compile-bytecode --require-hashes -r requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(SITE_READY): $(READY) requirements-site.lock
	@VIRTUAL_ENV=.venv $(UV) pip install -q --compile-bytecode --require-hashes -r requirements-site.lock
	@touch $@
