# `make` alone lists the targets. Everything happens in .venv; nothing else on the machine is touched,
# except that `make test` may install Debian's Chromium (tests/browser/get_chromium.py says when).

PYTHON ?= python3
BIN    := .venv/bin
# What is installed is named after what it is installed from, so that another checkout of the same lock needs nothing new.
READY  := .venv/.ready-$(shell cat pip.lock requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
PIP    := PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install -qq --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(if $(CI),--durations=25 --shuffle "$$(git rev-parse HEAD 2>/dev/null || echo 0)")
# `make test-long` and `make sweep` run the others, and `make site` what reads its pages.
SUITE  := not long and not sweep and not site
CHROMIUM = chromium="$$($(BIN)/python tests/browser/get_chromium.py)" && PGTLAB_CHROMIUM="$$chromium"
# The tests start Python some hundred times: what it compiles is kept, whatever the environment says about it.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help env lab test test-fast test-long sweep fuzz fuzz-coverage advisories mutation search test-mmu oracle check format docs site stubs handout bundle release test-nbgrader test-dask figures lock screenshots lite test-lite hub test-hub

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

env: $(READY)  ## make .venv from the locked dependencies

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "pgtlab needs Python 3.11 or newer, and $(PYTHON) is Python " + sys.version.split()[0] + \
	  ": make PYTHON=python3.12 names another.")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt-get install python3-venv)." >&2; \
	  exit 1; }
	@echo "Making a Python environment in .venv: once, and nothing outside it is changed."
	@$(PYTHON) -m venv .venv
	@echo "Installing the $$(grep -c == requirements.lock) packages of requirements.lock: a minute or two, and 1.2 GB of disk."
	@$(PIP) --require-hashes --requirement pip.lock
	@$(PIP) --require-hashes --requirement requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@rm -f .venv/.ready*
	@touch $@

lab: env  ## open JupyterLab on the map of the course
	@echo "Starting JupyterLab: some seconds."
	@$(BIN)/pgtlab lab

test: env  ## run the tests, in a browser too where there is one
	@$(CHROMIUM) $(PYTEST) -m "$(SUITE)"

test-long: env  ## run the tests that take long: in JupyterLab, of commands as a user starts them, of fuzzed inputs
	@$(CHROMIUM) $(PYTEST) -m "long and not sweep and not site"

test-fast: env  ## run the tests that need no browser and no QEMU, and take no long time
	@$(PYTEST) -m "not browser and not oracle and not slow and $(SUITE)"

sweep: env  ## ask about every kernel what the suite asks about some, and run the notebooks and all bisections
	@$(PYTEST) -m sweep

fuzz: env  ## give every reader 5,000 mutated inputs; READERS="trace log" chooses, COUNT=n and SEED=n say how many and which
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(READERS) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

READER ?= trace
fuzz-coverage: env  ## let atheris guide the inputs of READER=name by the code that they reach, for SECONDS=n
	@$(PIP) --require-hashes --requirement tests/fuzz/requirements.lock
	@PYTHONPATH=tests $(BIN)/python -m fuzz.guided $(READER) $(if $(SECONDS),--seconds $(SECONDS))

mutation: env  ## put faults into the code, and count those that no test notices; PARTS="linux lab", COUNT=n of each, SEED=n
	@PYTHONPATH=tests $(BIN)/python -m mutation $(PARTS) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

ADVISORIES ?= build/advisories.zip
advisories: env  ## compare the locks with a copy of the OSV database, ADVISORIES=file; nothing is downloaded
	@$(BIN)/python docs/check_advisories.py $(ADVISORIES) *.lock lite/*.lock deploy/*/requirements.lock

search: env  ## let Hypothesis look for exceptions to the laws for longer, with other examples every time
	@$(PYTEST) -m "not browser and not slow and $(SUITE)" --hypothesis-profile=search

MMU_DATA ?= tests/data/mmu
test-mmu: env  ## hold the MMU against every recorded translation in MMU_DATA=folder
	$(BIN)/pgtlab verify-mmu $(wildcard $(MMU_DATA)/*.npz)

oracle: env  ## ask QEMU's MMU about new random tables, and compare; SEED=n repeats a run
	@PYTHONPATH=tests $(BIN)/python -m oracle $(if $(SEED),--seed $(SEED))

check: env  ## formatting, lint, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	DENO_DIR=.venv/deno DENO_NO_UPDATE_CHECK=1 $(BIN)/deno check --quiet --no-remote --no-npm \
	  --config widgets/deno.json widgets/pgtlab_widgets/*.js
	$(BIN)/python -m pytest --quiet tests/project/test_imports.py

format: env  ## let ruff format the code and the notebooks
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

stubs: env  ## write what editors know of a kernel's functions, from the functions
	$(BIN)/python docs/write_kernel_functions.py

docs: env  ## update docs/cli.md and the outputs in docs/howto.md, then build the site in build/site
	$(BIN)/python docs/write_cli.py
	$(BIN)/python docs/write_howto.py
	$(BIN)/python docs/write_instructor.py
	@$(MAKE) --no-print-directory site

# What the notebooks import is this tree, wherever the environment was made.
site: env  ## build the site in build/site, and check it: any warning or broken link is an error
	PYTHONPATH=$(CURDIR):$(CURDIR)/widgets $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --jobs auto \
	  --conf-dir docs --doctree-dir build/doctrees . build/site
	$(BIN)/python docs/check_site.py build/site
	@$(BIN)/python -m pytest --quiet -m site tests/project/test_site.py

# What the site's wheel is built from is this tree, as above.
lite: env  ## build the browser edition in build/lite: a site on which the course needs no installation
	@PYTHONPATH=$(CURDIR):$(CURDIR)/widgets $(BIN)/python lite/make_site.py build/lite $(if $(PYODIDE),--pyodide "$(PYODIDE)")

test-lite: env  ## build the browser edition without numpy, and use it in a Chromium that has no network
	@$(CHROMIUM) $(BIN)/python -m pytest --quiet tests/browser/browser_edition.py

# The hub, what starts a student's server, and the proxy, which is a program of npm's.
HUB := deploy/jupyterhub
HUB_READY := $(HUB)/node_modules/.ready-$(shell cat requirements.lock $(HUB)/*.lock $(HUB)/package-lock.json | cksum | cut -d' ' -f1)
$(HUB_READY): $(READY)
	@command -v npm >/dev/null || { echo "JupyterHub's proxy needs npm and Node 18 or newer (Debian: apt-get install npm)." >&2; exit 1; }
	@$(PIP) --require-hashes --requirement $(HUB)/requirements.lock
	@npm ci --silent --no-fund --no-audit --prefix $(HUB)
	@touch $@

hub: $(HUB_READY)  ## start a JupyterHub for a trial with a class, on this machine; docs/class-server.md says more
	@$(BIN)/jupyterhub --config $(HUB)/jupyterhub_config.py

test-hub: $(HUB_READY)  ## start it on free ports, let ten students run a chapter, and stop it; USERS=2 takes fewer
	@$(if $(USERS),USERS=$(USERS)) $(BIN)/python -m pytest --quiet tests/hub/binder.py tests/hub/ten_users.py

# nbgrader and Dask, in an environment that finds everything else in .venv.
GRADING := .venv/grading
GRADING_READY := $(GRADING)/.ready-$(shell cat requirements.lock tests/nbgrader/requirements.lock | cksum | cut -d' ' -f1)
WITH_GRADING = JUPYTER_PATH=$(abspath .venv)/share/jupyter PATH="$(abspath $(GRADING))/bin:$$PATH" $(GRADING)/bin/python -m pytest --quiet
$(GRADING_READY): $(READY)
	@$(BIN)/python -m venv $(GRADING)
	@$(GRADING)/bin/python -c "import os, sysconfig; \
	  open(os.path.join(sysconfig.get_path('purelib'), 'parent.pth'), 'w').write(os.path.abspath('$(BIN)/../lib') + \
	  os.sep + os.path.relpath(sysconfig.get_path('purelib'), os.path.abspath('$(GRADING)/lib')) + '\\n')"
	@PIP_ROOT_USER_ACTION=ignore $(GRADING)/bin/python -m pip install -qq --disable-pip-version-check \
	  --require-hashes --requirement tests/nbgrader/requirements.lock
	@touch $@

test-nbgrader: $(GRADING_READY)  ## write an nbgrader course, and take it through nbgrader's whole cycle
	@$(WITH_GRADING) tests/nbgrader/whole_cycle.py

test-dask: $(GRADING_READY)  ## grade on a local Dask cluster that loses a worker in the middle
	@$(WITH_GRADING) tests/nbgrader/cluster.py

release: env  ## write the exercises as an nbgrader course into build/nbgrader; SEED=word chooses other numbers
	$(BIN)/pgtlab instructor release build/nbgrader $(if $(SEED),--seed "$(SEED)")

handout: env  ## write the course's handout and answer sheet as PDF into build/handout; SEED=n draws other numbers
	$(BIN)/python -W ignore docs/write_handout.py $(SEED)

bundle: env  ## write what instructors have of the exercises, solutions and all, into build/instructor
	$(BIN)/python docs/write_bundle.py build/instructor

figures: env  ## write figures for slides into build/figures: SVG and PNG, for light and for dark backgrounds
	$(BIN)/python docs/write_figures.py

screenshots: env  ## take the documentation's screenshots in a running JupyterLab
	$(BIN)/python -m pytest --quiet tests/browser/screenshots.py

# Hashes, and no download addresses: a lock says what is installed, the machine says from where. With the extras of each
# package, without which pip looks for a version that is not in the lock.
LOCK = $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-strip-extras \
  --custom-compile-command 'make lock'
lock: env  ## update requirements.lock and the locks in lite/ and deploy/ to the newest versions
	$(LOCK) --universal --python-version 3.11 --fork-strategy fewest \
	  --extra all --group dev --group docs pyproject.toml --output-file requirements.lock
	$(LOCK) --universal --python-version 3.11 --group fuzz --output-file tests/fuzz/requirements.lock
	$(LOCK) --universal --python-version 3.11 --group pip --output-file pip.lock
	$(LOCK) --universal --python-version 3.11 --constraint requirements.lock \
	  --group lite --output-file lite/requirements.lock
	$(LOCK) --python-version 3.14 --python-platform wasm32-pyodide2024 --constraint requirements.lock \
	  --no-emit-package widgetsnbextension --group browser --output-file lite/browser.lock
	$(LOCK) --universal --python-version 3.11 --constraint requirements.lock \
	  --group hub --output-file $(HUB)/requirements.lock
	$(LOCK) --universal --python-version 3.11 --constraint requirements.lock \
	  --group grading --output-file tests/nbgrader/requirements.lock
