# Sallyport. `make help` lists what there is to do.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BUILT   ?= $(shell date -u +%Y-%m-%dT%H:%M:%SZ)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.built=$(BUILT)

TOOL      := go tool -modfile=scripts/tools/go.mod
GOFILES    = $(shell git ls-files --cached --others --exclude-standard '*.go' | while read -r f; do if [ -e "$$f" ]; then echo "$$f"; fi; done)
# RACE=1 adds the race detector, ONCE=1 makes the demo run its tour and end.
TESTFLAGS := -timeout 30m $(if $(RACE),-race) $(GOTESTFLAGS)
FUZZTIME  ?= 20s
BENCH     ?= .
SMITHTIME ?= 10m
ROUNDS    ?= 5
SECONDS   ?= 3
ONLY      ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## install what building and testing need (as root), or say what is missing
	@scripts/setup.sh

.PHONY: build
build: ## build bin/sallyport
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/sallyport ./cmd/sallyport

.PHONY: test
test: setup ## run the tests against a real PostgreSQL; RACE=1 with the race detector
	go test $(TESTFLAGS) ./...

.PHONY: test-real
test-real: setup ## add the heavy real servers and clients: Vault, Python, Node
	@scripts/test-real.sh $(TESTFLAGS)

.PHONY: lint
lint: ## gofmt, gofumpt, vet, staticcheck, errorlint: each one is fatal
	@bad="$$(gofmt -l $(GOFILES))"; if [ -n "$$bad" ]; then echo "not gofmt-ed:"; echo "$$bad"; exit 1; fi
	@bad="$$($(TOOL) gofumpt -l $(GOFILES))"; if [ -n "$$bad" ]; then echo "not gofumpt-ed:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go vet -tags real ./...
	$(TOOL) staticcheck -tags real ./...
	$(TOOL) go-errorlint -asserts -comparison -errorf ./...

.PHONY: fmt
fmt: ## format with gofumpt
	$(TOOL) gofumpt -w $(GOFILES)

.PHONY: demo
demo: setup build ## start everything on loopback with scratch data; ONCE=1 runs the tour and ends
	@bin/sallyport demo $(if $(ONCE),--once)

.PHONY: bench
bench: setup ## compare with a direct connection and PgBouncer; ROUNDS (5), SECONDS (3) of each, ONLY=part of a name
	go run ./internal/bench -rounds $(ROUNDS) -seconds $(SECONDS) -only '$(ONLY)'

.PHONY: bench-go
bench-go: setup ## run the Go benchmarks; BENCH=regexp picks some
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: masks-random
masks-random: setup ## run N (100000) random queries through masks and directly, and compare
	SALLYPORT_RANDOM_MASKS=$(or $(N),100000) go test -count 1 -timeout 0 -run '^TestRandomThroughGateway$$' -v ./cmd/sallyport

.PHONY: bench-http
bench-http: setup ## measure the HTTP side beside nginx, Portkey and LiteLLM (about 10 minutes)
	@scripts/bench-http.sh

.PHONY: h2spec
h2spec: setup ## run h2spec against the gateway's HTTP/2
	@scripts/h2spec.sh

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (20s) each
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: test-matrix
test-matrix: ## run the Postgres side's tests on PostgreSQL 16, 17, 18 and with libpq 18 (from npm)
	@scripts/test-matrix.sh $(TESTFLAGS)

.PHONY: pg-suites
pg-suites: setup ## run PostgreSQL's own test suites through the gateway and directly, and compare
	@scripts/pg-suites.sh

.PHONY: sqlsmith
sqlsmith: setup ## send what sqlsmith writes through a read-only target for SMITHTIME (10m): nothing may change
	@scripts/sqlsmith.sh $(SMITHTIME)

.PHONY: golden
golden: setup ## rewrite the golden files from what the tests see now
	@scripts/golden.sh

.PHONY: vuln
vuln: ## check dependencies against the Go vulnerability database (needs to reach it)
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

.PHONY: clean
clean: ## remove what the build made
	rm -rf bin
