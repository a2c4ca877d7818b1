# Run make by itself for the list of targets. Needs Go, git and GNU make (3.81
# or newer); everything else is fetched through the Go proxy when first used.

MODULES  := $(patsubst %/go.mod,%,$(wildcard */go.mod))
BINARIES := producer consumer sandbox

# The version that the binaries report; VERSION=1.2.3 sets another.
VERSION ?= $(shell tools/version)

# -buildvcs=false: the version above is enough, and Go's own stamping fails in a
# checkout that belongs to another user.
BUILD_FLAGS = -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'

# The workspace of this checkout, whatever GOWORK says outside.
export GOWORK := $(CURDIR)/go.work

# All the fuzz targets together then take less than two minutes.
FUZZTIME ?= 4s

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

include tools/versions.mk

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { \
		line = sprintf("  make %-13s", $$1); n = split($$2, words, " "); \
		for (i = 1; i <= n; i++) { \
			if (length(line " " words[i]) > 80) { print line; line = sprintf("%20s", "") } \
			line = line " " words[i] } \
		print line }' Makefile

.PHONY: build
build: ## build the static binaries into ./bin
	@mkdir -p bin
	@CGO_ENABLED=0 go build $(BUILD_FLAGS) -o bin/ $(addprefix ./,$(BINARIES))

.PHONY: demo
demo: build ## load the sample files and show the running statistics, start to end
	@bin/sandbox demo

.PHONY: live
live: build ## the demo with its live page in the browser, until Ctrl-C
	@bin/sandbox demo --page

# The end-to-end tests start binaries, which Go's test cache does not see: hence
# -count=1. The command before them says in one line which servers they get. The
# fault runs come last and alone: each makes a machine's work by itself, and its
# times are measured.
FAULTS_PACKAGE := github.com/streamgauge/streamgauge/tests/faults

.PHONY: test
test: bin/tools/gotestsum ## run every test of every module; PKG=./shared/… and RUN=TestName narrow it
	@$(if $(PKG),,go run ./tests/cmd/images >/dev/null || exit 1;) \
	race=`tools/race`; \
	run() { bin/tools/gotestsum --format pkgname --format-hide-empty-pkg -- \
		$$race -count=1 -timeout 30m $(if $(RUN),-run '$(RUN)') "$$@"; }; \
	$(if $(PKG),run $(PKG),others=`go list work | grep -vx $(FAULTS_PACKAGE)` && run $$others && run $(FAULTS_PACKAGE))

# SEED replays one schedule and shows it; FIRST is the seed to begin with; SIDE is
# producer or consumer, where it is not to be both. One after the other, since
# each takes all cores.
.PHONY: sim
sim: ## play SCHEDULES=100000 simulated schedules of faults a side, or show the one of SEED=n
	@SCHEDULES=$(or $(SCHEDULES),100000) SEED=$(SEED) FIRST=$(FIRST) \
		go test -count=1 -timeout 0 -p 1 -v -run TestSchedules \
		$(patsubst %,./%/internal/simulation,$(or $(SIDE),consumer producer))

.PHONY: bench
bench: build ## measure the pair beside COPY, for docs/benchmarks.md; BENCH=-smoke is short, BENCH=-help lists the options
	@go run ./tests/benchmarks $(or $(BENCH),-write docs)

.PHONY: screenshots
screenshots: ## take docs/live.png and docs/page*.png, the pictures of the live page, with Chromium
	@SCREENSHOTS='$(CURDIR)/docs' REQUIRE_CHROMIUM=1 go test -count=1 -run 'TestLooks|TestLive' -v ./tests/page

.PHONY: recording
recording: build nats ## record docs/recording.svg and .cast, the programs at work in two terminals
	@go run ./tests/cmd/recording

# Runs take servers as processes: containers add nothing here but time.
.PHONY: chaos
chaos: build ## break servers, connections and processes: SEEDS=1-25 FAULTS=name,name; JOURNAL=file keeps a line a run
	@BIN_DIR=bin TEST_SERVERS=processes go test ./tests/faults -run TestFaults -count=1 -timeout 0 \
		-seeds $(or $(SEEDS),1-25) $(if $(FAULTS),-faults $(FAULTS)) $(if $(JOURNAL),-journal $(abspath $(JOURNAL)))

.PHONY: chaos-mutants
chaos-mutants: ## build the programs with mistakes in them, and see each caught
	@go run ./tests/cmd/mutants

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZTIME (4s)
	@tools/fuzz $(FUZZTIME)

.PHONY: lint
lint: fmt-check vet tidy-check standalone bin/tools/golangci-lint ## check format, vet, linters, go.mod files and standalone builds
	@bin/tools/golangci-lint run $(addsuffix /...,$(addprefix ./,$(MODULES)))

.PHONY: fmt
fmt: bin/tools/golangci-lint ## format the Go code
	@bin/tools/golangci-lint fmt

.PHONY: fmt-check
fmt-check: bin/tools/gofumpt
	@files=`bin/tools/gofumpt -l $(MODULES)`; \
	if [ -n "$$files" ]; then printf 'not formatted, run make fmt:\n%s\n' "$$files" >&2; exit 1; fi

.PHONY: vet
vet:
	@go vet work

.PHONY: tidy
tidy: ## bring every go.mod to the workspace's versions and tidy it
	@go work sync
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy) || exit 1; done

.PHONY: tidy-check
tidy-check:
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy -diff) || \
		{ echo "$$m/go.mod is not tidy, run make tidy" >&2; exit 1; }; done

# Each module has to build without the workspace too, as go install and a
# reader of one folder see it.
.PHONY: standalone
standalone:
	@for m in $(MODULES); do (cd $$m && GOWORK=off go vet ./...) || \
		{ echo "$$m does not build with GOWORK=off" >&2; exit 1; }; done

.PHONY: secrets
secrets: bin/tools/gitleaks ## look for secrets in the whole history
	@bin/tools/gitleaks git --no-banner --redact --log-level warn --verbose .

.PHONY: install
install: ## install the binaries into Go's bin folder
	@CGO_ENABLED=0 go install $(BUILD_FLAGS) $(addprefix ./,$(BINARIES))
	@echo "installed $(BINARIES) into `go list -f '{{.Target}}' ./producer | xargs dirname`"

.PHONY: nats
nats: bin/tools/nats ## install the nats command line as bin/nats
	@ln -sf tools/nats bin/nats

.PHONY: hooks
hooks: bin/tools/lefthook bin/tools/gofumpt bin/tools/gitleaks ## install the git hooks
	@bin/tools/lefthook install

.PHONY: zip
zip: ## pack the committed tree into ./dist, to hand it in
	@mkdir -p dist
	@file=dist/streamgauge-`git describe --tags --match 'v[0-9]*' --always`.zip && \
	git archive --format=zip --prefix=streamgauge/ -o $$file HEAD && echo $$file
	@if [ -n "`git status --porcelain`" ]; then echo "what is not committed is not in it" >&2; fi

.PHONY: tools
tools: $(addprefix bin/tools/,$(TOOLS)) ## install all the pinned command-line tools into bin/tools

.PHONY: clean
clean: ## remove what the other targets made
	@rm -rf bin dist

# A tool is its binary and a stamp that carries the version.
version-of = $(lastword $(subst @, ,$($(1))))

define tool-rules
bin/tools/$(1): bin/tools/.$(1)-$(call version-of,$(1))
	@echo "installing $(1) $(call version-of,$(1))" >&2
	@CGO_ENABLED=0 GOWORK=off GOBIN="$$(CURDIR)/bin/tools" go install -trimpath -ldflags '-s -w' $($(1))
	@touch $$@

bin/tools/.$(1)-$(call version-of,$(1)):
	@mkdir -p bin/tools
	@rm -f bin/tools/.$(1)-*
	@touch $$@
endef
$(foreach tool,$(TOOLS),$(eval $(call tool-rules,$(tool))))
