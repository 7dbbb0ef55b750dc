# Handrail. `make run` and `make test` are all that a newcomer needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export RASA_TELEMETRY_ENABLED := false
export PYTHONHASHSEED := 0
export SQLALCHEMY_SILENCE_UBER_WARNING := 1

.PHONY: help run test check train chat bench bench-load bench-nlu clean lock

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/runtime train ## set everything up and serve the demo clinic at http://localhost:8000
	@$(BIN)/handrail serve

test: $(VENV)/dev train ## set everything up and run all tests
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(VENV)/dev train ## lint, types, layering, Rasa's data validation, reviewed data (what CI runs)
	@tools/check

train: $(VENV)/runtime ## train the models if the present data has none
	@$(BIN)/handrail train

chat: $(VENV)/runtime train ## talk to the assistant in the terminal
	@$(BIN)/handrail chat

bench: $(VENV)/dev train ## what a turn costs: stock Rasa, the product and the floor, one run (docs/performance.md)
	@$(BIN)/python -m bench.turns

bench-load: $(VENV)/dev train ## 200 visitors at once, 10,000 conversations in a row: about 20 minutes (docs/scaling.md)
	@$(BIN)/python -m bench.load visitors
	@$(BIN)/python -m bench.load visitors --think 0 0
	@$(BIN)/python -m bench.load conversations

# DATA=folder measures its NAME_train*.jsonl and NAME_test.jsonl instead, ONLY=NAME one of them.
bench-nlu: $(VENV)/dev ## understanding beside stock Rasa, one run (EPOCHS=100, DATA=folder, ONLY=name)
	@$(BIN)/python -m bench.intents --stock --epochs $(or $(EPOCHS),100) \
		$(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY))

lock: $(VENV)/dev ## resolve requirements/*.in anew, with hashes
	@tools/lock

clean: ## remove what was built: environment, models, caches (never var/, the data)
	@rm -rf $(VENV) models .rasa .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/runtime: requirements/runtime.txt pyproject.toml tools/setup
	@tools/setup runtime

$(VENV)/dev: requirements/dev.txt $(VENV)/runtime
	@tools/setup dev
