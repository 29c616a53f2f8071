# Everything below sets itself up: a first call builds .venv from the pinned versions in .ci/, the
# next ones start at once. Needs make, a POSIX shell and Python 3.11 or newer with its venv module;
# another Python than the first one found: make PYTHON=python3.12 ...

SHELL := /bin/sh
PYTHON ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint lint-rules lint-format lint-types constraints .venv

help:  ## list the targets
	@sed -n 's/^\([a-z.-]*\):.*  ## \(.*\)/  make \1	\2/p' Makefile

demo: .venv  ## train the experiment ladder
	@$(BIN)/selfplay train ladder

test: .venv  ## run the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

lint: lint-rules lint-format lint-types  ## ruff check, ruff format --check, pyright

lint-rules: .venv
	@$(BIN)/python -m ruff check .

lint-format: .venv
	@$(BIN)/python -m ruff format --check .

lint-types: .venv
	@$(BIN)/python -m pyright

# Sets $$python to the first Python that will do, or explains why none does.
define find_python
	python=; old=; bare=; \
	for candidate in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	    command -v "$$candidate" >/dev/null 2>&1 || continue; \
	    if ! "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        old="$$old $$candidate"; \
	    elif ! "$$candidate" -c 'import venv, ensurepip' 2>/dev/null; then \
	        bare="$$bare $$candidate"; \
	    else \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ] && [ -n "$$bare" ]; then \
	    echo "error:$$bare cannot make virtual environments (no venv or ensurepip module)." \
	         "Install them (Debian, Ubuntu: the package python3-venv) and call make again." >&2; \
	    exit 1; \
	elif [ -z "$$python" ]; then \
	    echo "error: found no Python 3.11 or newer (looked at:$${old:- nothing that runs})." \
	         "Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	fi
endef

# The stamp holds what the environment was made from: the files that say what belongs into it, and
# the folder (scripts in a virtual environment hold absolute paths, so a moved one is rebuilt). It is
# written last, so an interrupted set-up is done again. PIP_CONSTRAINT and PIP_BUILD_CONSTRAINT pin
# the build backend too, in older and newer versions of pip.
STAMP := .venv/.installed

.venv:  ## only set up the virtual environment
	@want="$$(cat pyproject.toml .ci/constraints-*.txt | cksum) $(CURDIR)"; \
	have="$$(cat $(STAMP) 2>/dev/null || true)"; \
	ready='import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)'; \
	if ! $(BIN)/python -c "$$ready" 2>/dev/null; then \
	    rebuild=yes; \
	elif [ "$$have" = "$$want" ]; then \
	    exit 0; \
	elif [ -n "$$have" ] && [ "$${have#* * }" != "$(CURDIR)" ]; then \
	    rebuild=yes; \
	elif ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    rebuild=yes; \
	fi; \
	set -e; \
	if [ -n "$$rebuild" ]; then \
	    $(find_python); \
	    if [ -e .venv ] || [ -L .venv ]; then echo "Removing .venv, which does not work here."; fi; \
	    rm -rf .venv; \
	    echo "Setting up .venv with $$python; the first time this takes a minute or two ..."; \
	    "$$python" -m venv .venv; \
	else \
	    echo "Bringing .venv up to date with pyproject.toml and .ci/ ..."; \
	    rm -f $(STAMP); \
	fi; \
	constraints=$$($(BIN)/python -c 'import sys; \
	    print(".ci/constraints-3.%d.txt" % min(sys.version_info[1], 12))'); \
	PIP_CONSTRAINT="$$constraints" PIP_BUILD_CONSTRAINT="$$constraints" \
	    $(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'; \
	echo "$$want" > $(STAMP)

# 3.11 has a file of its own because some packages have already left it behind; the other is solved
# for all later versions and all systems at once. uv comes into a temporary environment.
constraints:  ## solve .ci/constraints-*.txt anew
	@set -e; $(find_python); \
	scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	echo "Solving the versions of all dependencies ..."; \
	"$$python" -m venv "$$scratch"; \
	"$$scratch/bin/python" -m pip install -qq --disable-pip-version-check uv; \
	solve() { \
	    "$$scratch/bin/uv" pip compile pyproject.toml --no-config --quiet --upgrade --extra dev \
	        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$$@"; \
	}; \
	solve --python-version 3.11 --python-platform linux -o .ci/constraints-3.11.txt; \
	solve --python-version 3.12 --universal -o .ci/constraints-3.12.txt
