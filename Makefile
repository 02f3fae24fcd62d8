# Entry points only; the work is in sandbox/ (Python). `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
STACK ?=
ARGS ?=
WORKERS ?= auto
FORMAT ?= text
OCCASION ?= pull-request
# Of the lab: its name, regions (aws,azure,gcp), profile (small, production) and links between regions (ipsec, plain).
NAME ?= lab
REGIONS ?= aws,azure,gcp
PROFILE ?= small
LINKS ?= ipsec
# BACKEND=own: preview, gate and compliance act on the shell's own backend and clouds instead of the sandbox.
BACKEND ?= sandbox
OWN := $(if $(filter own,$(BACKEND)),--own)
RUN := .venv/bin/python -m sandbox
LAB := .venv/bin/python -m sandbox.lab
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: venv
venv: ## Python environments with the pinned packages
	@$(PYTHON) sandbox/bootstrap.py

.PHONY: up
up: venv ## Bring aws, azure and gcp up in the sandbox
	@$(RUN) up

.PHONY: preview
preview: venv ## Show what would change and what the policies say: make preview STACK=azure
	@$(RUN) preview $(OWN) $(STACK)

.PHONY: gate
gate: venv ## Say whether a change may be deployed: make gate STACK=azure OCCASION=deploy
	@$(RUN) gate $(OWN) --occasion $(OCCASION) $(STACK)

.PHONY: compliance
compliance: venv ## Report what the policies find: make compliance STACK=aws FORMAT=html
	@$(RUN) compliance $(OWN) --format $(FORMAT) $(STACK)

.PHONY: refresh
refresh: venv ## Compare the state of the stacks with the simulated cloud
	@$(RUN) refresh $(STACK)

.PHONY: destroy
destroy: venv ## Destroy the stacks, all but the protected lineage
	@$(RUN) destroy $(STACK)

.PHONY: env
env: venv ## Shell lines for plain pulumi: eval "$$(make -s env)"
	@$(RUN) env

.PHONY: cloud
cloud: venv ## Start the simulated cloud if it is down
	@$(RUN) cloud

.PHONY: engine
engine: venv ## Obtain the Pulumi engine
	@$(RUN) tools pulumi

.PHONY: tools
tools: venv ## Obtain the engine and the product binaries that tests use
	@$(RUN) tools

.PHONY: test
test: venv tools ## Run every test but the slow rest: make test ARGS="-k engine"
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope -m "not lab" $(ARGS)

.PHONY: test-lab
test-lab: venv tools ## Run the slow rest: real machines, clusters, tunnels, long chains of updates (Linux, root)
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope -m lab --ignore tests/lab/proofs $(ARGS)
	@# Whole regions, one after the other: each has all processors to itself. What fails first is told at once: the rest would wait for it.
	@$(BIN)/pytest -x -m lab tests/lab/proofs $(ARGS)

.PHONY: lab
lab: venv ## Run regions for real on this machine (Linux, root): make lab REGIONS=aws PROFILE=production
	@$(LAB) up --lab $(NAME) --regions $(REGIONS) --profile $(PROFILE) --links $(LINKS)

.PHONY: lab-destroy
lab-destroy: venv ## Remove a lab with everything of it: make lab-destroy NAME=second
	@$(LAB) destroy --lab $(NAME)

.PHONY: mutants
mutants: venv ## Change every policy rule in small ways and list what no test notices: make mutants ARGS="--only network"
	@$(BIN)/python -m tests.policies.mutants $(ARGS)

.PHONY: lint
lint: venv lint-style lint-types lint-layers lint-shell lint-workflows ## Check style, types, layers, shell scripts and workflows

.PHONY: lint-style
lint-style: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: lint-types
lint-types: venv
	$(BIN)/pyright --threads

.PHONY: lint-layers
lint-layers: venv
	$(BIN)/lint-imports --no-logo

.PHONY: lint-shell
lint-shell: venv
	find . \( -name .git -o -name .venv -o -name .sandbox \) -prune -o -type f \( -name '*.sh' -o -path ./.ci/run -o -path './sandbox/*/bin/*' \) -print0 | xargs -0 $(BIN)/shellcheck -x -P SCRIPTDIR

.PHONY: lint-workflows
lint-workflows: venv
	$(BIN)/zizmor --offline --no-progress --strict-collection --persona pedantic .github

.PHONY: lock
lock: venv ## Resolve the requirements again into requirements.lock, the pack's into its own
	$(LOCK) --output-file requirements.lock requirements-dev.txt
	$(LOCK) --output-file policies/requirements.lock policies/requirements.txt

.PHONY: bench
bench: venv tools ## Measure up, preview, policy pack and the mesh's failover: make bench ARGS=pack
	@$(RUN) bench $(ARGS)

.PHONY: clean
clean: ## End labs, stop the simulated cloud, remove .sandbox and caches inside the tree
	@if [ -x .venv/bin/python ]; then $(RUN) clean; else rm -rf .sandbox; fi
