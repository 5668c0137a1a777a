# Bollettino: `make help` says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV ?= .venv
# The newest Python that is new enough; `make run PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	echo "$$python"; break; fi; done)
BIN := $(VENV)/bin
MESSAGES := $(patsubst %.po,%.mo,$(wildcard newsletter/locale/*/LC_MESSAGES/*.po site/newsroom/locale/*/LC_MESSAGES/*.po))

##@ Try it

.PHONY: run
run: install ## everything with a demo: site, worker, feeds, mailbox (PORT=8000 DATA_DIR=var; ONCE=1 ends after the first digest)
	@exec "$(BIN)/python" manage.py run --demo $(if $(filter-out 0,$(ONCE)),--once)

.PHONY: demo
demo: install ## loads the demo into the database, starts nothing
	@exec "$(BIN)/python" manage.py demo

.PHONY: install
install: $(VENV)/.installed $(MESSAGES) ## the virtual environment with the pinned requirements

.PHONY: clean
clean: ## deletes what was built and compiled, never data (var/) or the environment
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache test-results
	@find newsletter site tests benchmarks \( -name __pycache__ -o -name '*.mo' \) -prune -exec rm -rf {} +

##@ Work on it

.PHONY: test
test: install-dev ## everything that must hold (STEPS="lint types" for some of it)
	@exec "$(BIN)/python" -m tests.everything $(STEPS)

.PHONY: test-faults
test-faults: install-dev ## breaks delivery on purpose, 1,000 kills on each database: half an hour (FAULTS="--only kills." for some of it)
	@exec "$(BIN)/python" -m tests.faults $(FAULTS)

.PHONY: install-dev
install-dev: install $(VENV)/.installed-dev ## what `make test` needs besides

.PHONY: messages
messages: install-dev ## collects the strings to translate into the catalogues (needs gettext)
	@cd newsletter && ../$(BIN)/python ../manage.py makemessages --locale it --no-location
	@cd site/newsroom && ../../$(BIN)/python ../../manage.py makemessages --locale it --no-location

.PHONY: screenshots
screenshots: install-dev ## pictures of the demo's screens into var/screenshots, the README's into docs/images (needs Chromium)
	@exec "$(BIN)/python" -m tests.screenshots

.PHONY: help
help: ## this text
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

# --- how it is made ------------------------------------------------------------------------------

# The stamp is newer than requirements.txt once all of it is installed: a second run asks nobody.
$(VENV)/.installed: requirements.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "Bollettino needs Python 3.11 or newer; this machine has $$(python3 --version 2>&1 | head -n 1). Install it, or name one: make run PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Bollettino needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1 | head -n 1)." >&2; exit 1; }
	@echo "Installing the requirements into $(VENV) (once) …"
	@[ -x "$(BIN)/python" ] || "$(PYTHON)" -m venv "$(VENV)" >"$(VENV).log" 2>&1 || { \
		rm -rf "$(VENV)"; \
		echo "The virtual environment $(VENV) can't be made: $$(grep -v '^ *$$' "$(VENV).log" 2>/dev/null | head -n 1) (on Debian: apt-get install python3-venv; is the disk full?)" >&2; exit 1; }
	@rm -f "$(VENV).log"
	@# -qq: errors alone. trafilatura asks lxml for an extra that newer ones no longer have.
	@"$(BIN)/python" -m pip install -qq --disable-pip-version-check -r requirements.txt || { \
		echo "The requirements can't be installed: see pip's words above. Is the network there, and room on the disk?" >&2; exit 1; }
	@touch "$@"

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt
	@echo "Installing the tools for tests into $(VENV) (once) …"
	@"$(BIN)/python" -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch "$@"

# Compiled messages aren't in the repository; Babel makes them without the gettext programs.
%.mo: %.po $(VENV)/.installed
	@"$(BIN)/pybabel" -q compile --input-file "$<" --output-file "$@" --locale "$(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))"
