# The course's commands. Each first makes the folder .venv, where it is not there yet: tools/set_up.py.
PYTHON   =# which Python to make .venv with, if not the first that fits
LAB      =# more options for JupyterLab: make lab LAB="--port=9000"
TEST     =# more options for pytest: make test TEST="-k emoji"
CLASS    =# solutions at the end of the slides: make classroom CLASS=--solutions
BIN     := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
RUN     := $(BIN)/python
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

unexport PYTHONHOME PYTHONPATH# packages from elsewhere would hide those of .venv
export JUPYTER_PREFER_ENV_PATH = 1# likewise the user's own kernels and settings
test: export OPENBLAS_NUM_THREADS = 1# two tests run at a time: threads of both would wait for each other

.PHONY: help lab test lint book notebooks experiments bench classroom lock clean setup
.DEFAULT_GOAL := help

help:         ## print this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r name what; do printf 'make %-12s %s\n' "$$name" "$$what"; done

lab: setup    ## open the course in JupyterLab
	@echo "JupyterLab starts; Ctrl-C in this window stops it."
	@$(RUN) -m jupyterlab $(AS_ROOT) --ServerApp.log_level=WARN --LabApp.log_level=WARN --ip=127.0.0.1 --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(LAB)

test: setup   ## run all tests: the package, the conventions, and every notebook, offline
	$(RUN) -m pytest -n 2 --dist loadfile $(TEST)

lint: setup   ## look for mistakes and untidy code
	$(RUN) -m ruff check mmtutor tools tests conftest.py
	$(RUN) -m ruff format --check mmtutor tools tests conftest.py

book: setup   ## build the book from the committed outputs: book/_build/html/index.html
	$(RUN) -c "from jupyter_book.cli.main import main; main()" build . --config book/_config.yml --toc book/_toc.yml --path-output book -W -n --keep-going

notebooks: setup    ## execute every notebook and write its outputs back
	$(RUN) tools/execute.py notebooks/*.ipynb

experiments: setup  ## compute the long tables in notebooks/results anew
	$(RUN) tools/experiments.py

bench: setup        ## measure each chapter's seconds and memory
	$(RUN) tools/bench.py

classroom: setup    ## write what a class needs to dist/: notebooks, slides, marking
	$(RUN) tools/classroom.py $(CLASS)

lock: setup         ## pin every package anew: requirements.lock
	$(RUN) -m pip install --quiet uv
	$(RUN) -m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate --no-header --quiet $(LOCK) --output-file requirements.lock
	printf '%s\n' $(LOCK_HEADER) | cat - requirements.lock > requirements.new && mv requirements.new requirements.lock

clean:        ## remove what these commands made, .venv too
	rm -rf .venv book/_build dist build *.egg-info .pytest_cache .ruff_cache .coverage
	find . -name __pycache__ -o -name .ipynb_checkpoints | while read -r folder; do rm -rf "$$folder"; done

define LOCK_HEADER
'# Every package of the course at one version, with the hashes of its files: Python 3.11 to 3.13 on Linux' \
'# (x86-64, arm64), macOS (Apple silicon) and Windows (x86-64). Made from pyproject.toml by make lock;' \
'# make lock LOCK=--upgrade takes the newest versions.'
endef

# The .venv that is there, else the first Python that fits, else any, which says what is needed.
FITS   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
OTHERS := $(RUN) python3.13 python3.12 python3.11 python3 python

setup:
ifdef PYTHON
	@"$(PYTHON)" tools/set_up.py
else
	@for test in "$(FITS)" ""; do for python in $(OTHERS); do \
		if "$$python" -c "$$test" >/dev/null 2>&1; then exec "$$python" tools/set_up.py; fi; \
	done; done; \
	echo "No Python was found. Install Python 3.12 (python.org/downloads), or name yours: make lab PYTHON=/path/to/python3.12" >&2; exit 1
endif
