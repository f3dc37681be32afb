# Bifrost in TypeScript. `make help` lists the targets; everything a new machine needs is installed by them
# (Node 26 itself comes from the npm registry, so the machine's own Node only has to run npm).
SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
ARGS ?=

.PHONY: help run test bench build clean lint types format

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

node_modules/.install: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

run: node_modules/.install ## start the gateway on http://localhost:8080 (flags in ARGS="-port 9090")
	@node transports/http/src/main.ts $(ARGS)

test: node_modules/.install ## lint, types, unit, contract and end-to-end tests
	@tools/test.sh

bench: node_modules/.install ## measure us beside nginx and Portkey; table, JSON and plot in benchmarks/results/
	@node benchmarks/src/main.ts $(ARGS)

build: ## one portable executable (not built yet: see docs/roadmap.md)
	@echo "make build: the single executable is not part of this version yet; use 'make run'." >&2; exit 1

lint: node_modules/.install ## lint rules and format check
	npm run --silent lint && npm run --silent format:check

types: node_modules/.install ## type check
	npm run --silent types

format: node_modules/.install ## rewrite files in the house format
	npm run --silent format

clean: ## remove what the targets made
	rm -rf node_modules tmp benchmarks/peers/node_modules
