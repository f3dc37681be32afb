# Bifrost in TypeScript. `make help` lists the targets; everything a new machine needs is installed by them
# (Node 26 itself comes from the npm registry, so the machine's own Node only has to run npm).
SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
ARGS ?=

# What `make build` takes, e.g. `make build DYNAMIC=1 VERSION=1.3.30 GOARCH=arm64` (BUILD.md).
export VERSION DYNAMIC GOOS GOARCH TARGET LIBC OUTPUT COMMIT SOURCE_DATE_EPOCH

.PHONY: help run test bench build package clean lint types format

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

node_modules/.install: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@# A Node for another C library than this system's is of no use here.
	@node_modules/.bin/node --version >/dev/null 2>&1 || rm -f node_modules/.bin/node
	@touch $@

# The program as a few JavaScript files: ready in half the time that its sources take. Folders are listed too: a deleted file
# changes only its folder.
program_sources := $(shell find sdk core framework plugins testkit/src cli transports/http tools/build -name node_modules -prune -o \( -name '*.ts' -o -name package.json -o -type d \) -print)
tmp/bundle/main.js: node_modules/.install $(program_sources)
	@node tools/build/bundle-main.ts

run: node_modules/.install ## start the gateway on http://localhost:8080 (flags in ARGS="-port 9090")
	@if $(MAKE) -s --no-print-directory tmp/bundle/main.js; then exec node tmp/bundle/main.js $(ARGS); \
	else echo 'make run: it could not be bundled; running the sources'; exec node transports/http/src/main.ts $(ARGS); fi

test: node_modules/.install ## lint, types, unit, contract and end-to-end tests
	@tools/test.sh

bench: node_modules/.install ## measure us beside nginx and Portkey; table, JSON and plot in benchmarks/results/
	@node benchmarks/src/main.ts $(ARGS)

build: node_modules/.install ## tmp/bifrost-http: one portable executable; DYNAMIC=1 for native plugins (BUILD.md)
	@node tools/build/main.ts

package: node_modules/.install ## npm archives of the program, the engine and the sdk in tmp/packages/
	@node tools/build/package-main.ts

lint: node_modules/.install ## lint rules and format check
	npm run --silent lint && npm run --silent format:check

types: node_modules/.install ## type check
	npm run --silent types

format: node_modules/.install ## rewrite files in the house format
	npm run --silent format

clean: ## remove what the targets made
	rm -rf node_modules tmp benchmarks/peers/node_modules
