# Two commands matter: `go run ./cmd/radsec-gw dev` and `make test`.
# .ci/run calls targets of this file, and nothing else.

GO      ?= go
TOOL    := $(GO) tool -modfile=tools/go.mod
# What the tests with other people's programs and in network namespaces need, as Debian names it.
PACKAGES := freeradius freeradius-utils radsecproxy eapoltest libradcli-dev libgnutls28-dev gcc libc6-dev hostapd prometheus openssl iproute2 nftables util-linux curl jq python3
VERSION ?= $(shell packaging/version)
SUDO    := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: build test web-test race lint vet deadcode vuln fuzz mutants bench bench-stat bench-compare deps ci

build: ## the static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o radsec-gw ./cmd/radsec-gw

# Uncached, because the test cache does not see the programs that some tests start.
# interop/world runs alone, because it measures latencies.
# Tests wait for timers and programs more than they compute, so that more packages than processors
# are tested at a time. The timeout is for what hangs: that of go, 10 minutes, a slow machine may need.
AT_ONCE := -p 4 -timeout 30m
test: deps ## all tests, including those with other programs and in network namespaces
	$(GO) test $(AT_ONCE) -count=1 $(shell $(GO) list ./... | grep -v /interop/world)
	$(GO) test -count=1 ./interop/world
	$(GO) -C tools test -count=1 ./mutants
	@$(GO) test -count=1 -v -run '^TestVariants$$' ./wire/lanes | sed -n 's/.*\(variant .*: tested here\)/wire\/lanes: \1/p'

# The packages that have locks. Recording them takes time: -short has the tests that would take
# minutes try fewer cases.
LOCKED := ./gateway/... ./tlsfront ./dtlsfront ./sessions ./crlfetch ./web ./relay ./udpback/... ./locks ./logs ./files ./metrics ./audit ./identity ./dynauth ./cluster
# The packages whose tests take longest begin first: one that begins last is waited for alone.
LONG := $(addprefix radsec-gw/,udpback tlsfront gateway relay web cluster spool spool/stream)
long_first = $(filter $(LONG),$(1)) $(filter-out $(LONG),$(1))

# Tests that start a program gain nothing by the race detector, which is not in that program, and
# neither do those of packages that know no goroutine, lock or channel.
NOT_RACED := interop|bench|cmd|wire|rules|routing|importer|cli|manual|status|certstest
race: ## all tests but those that start programs, under the race detector; and the order of locks
	CGO_ENABLED=1 $(GO) test $(AT_ONCE) -race $(call long_first,$(shell $(GO) list ./... | grep -vE '^radsec-gw$$|/($(NOT_RACED))(/|$$)'))
	$(GO) test $(AT_ONCE) -short -tags lockorder $(LOCKED)

web-test: PACKAGES := chromium fonts-dejavu-core
web-test: deps ## the status page in headless Chromium, which is large: not a part of test
	$(GO) test -tags browser -run 'InChromium$$' ./web

# Linux is what the gateway runs on; people build and change it on others too. For those
# everything is compiled for vet alone, so without optimizations, which takes a third less time.
VET_OTHERS := windows darwin
vet: ## vet, for Linux and each of VET_OTHERS
	$(GO) vet ./...
	for s in $(VET_OTHERS); do GOOS=$$s $(GO) vet '-gcflags=all=-N -l' ./... || exit 1; done
	$(GO) -C tools vet ./mutants

lint: vet ## vet, staticcheck, formatting, dead code, and which package may import which
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'not formatted: run gofmt -w'; exit 1; }
	$(TOOL) staticcheck ./...
	$(TOOL) depguard ./...
	@$(MAKE) -s deadcode

# Packages that exist for the tests of others, so that only tests call them.
FOR_TESTS := certs/certstest cluster/natstest gateway/gatewaytest importer/importertest interop/testbed
# Twice: nothing is there that only tests call, except in FOR_TESTS; and there, and in
# tests, nothing that not even tests call. In the second an example without output counts
# as dead, because go test only compiles it, and the tag adds what holds the order of locks.
deadcode: ## functions that nothing calls, or only tests
	@dead=$$($(TOOL) deadcode $$($(GO) list ./... $(FOR_TESTS:%=| grep -vx radsec-gw/%)) && $(GO) -C tools tool deadcode ./mutants && \
	  $(TOOL) deadcode -test -tags lockorder ./... && $(GO) -C tools tool deadcode -test ./mutants) || { echo "$$dead"; exit 1; }; \
	dead=$$(printf '%s' "$$dead" | grep -v 'unreachable func: Example' | sort -u); \
	test -z "$$dead" || { printf '%s\n' "$$dead"; echo 'dead code: remove it, or move it to the tests that call it'; exit 1; }

# A database that cannot be reached fails nothing: the last line says so instead.
vuln: ## known vulnerabilities in what the gateway is built from
	@out=$$($(TOOL) govulncheck ./... 2>&1) && echo "$$out" && exit 0; \
	printf '%s\n' "$$out"; \
	case $$out in *'govulncheck: fetching vulnerabilities:'*) echo 'NOT CHECKED for known vulnerabilities: their database cannot be reached from here' ;; *) exit 1 ;; esac

# Counted, not timed: a fuzzer stopped by the clock sometimes reports that as a failure.
# Without a limit each new input may be minimized for a minute, in which nothing is tried.
# One test binary for all targets of a package: linking takes as long as the inputs do.
FUZZTIME ?= 5000x
fuzz: ## every fuzz target, FUZZTIME inputs (or, as 60s, so long) each
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && found=$$($(GO) env GOCACHE)/fuzz && \
	grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r p; do \
	  $(GO) test -c -fuzz . -o "$$dir/fuzz.test" $$p || exit 1; \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$p/*_test.go | cut -d ' ' -f 2); do \
	    echo "fuzz $$p $$f"; (cd $$p && "$$dir/fuzz.test" -test.run '^$$' -test.fuzz "^$$f$$" -test.fuzztime $(FUZZTIME) \
	      -test.fuzzminimizetime 100x -test.fuzzcachedir "$$found/radsec-gw/$$p") || exit 1; \
	  done || exit 1; done

# Not in CI. tools/mutants/doc.go says what MUTANTS may hold: "-package wire", "rules".
MUTANTS ?=
mutants: ## change the code in small places and name what no test notices; up to an hour
	$(GO) -C tools run ./mutants $(MUTANTS)

BENCHED := ./wire ./wire/lanes ./routing ./relay ./tlsfront
BENCHCOUNT ?= 1
bench: ## Go benchmarks of each step, with allocations
	$(GO) test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) $(BENCHED)

bench-stat: ## the benchmarks beside the stored baseline, by benchstat
	$(GO) test -run '^$$' -bench . -benchmem -benchtime 200ms -count 6 $(BENCHED) | tee bench-new.txt
	$(TOOL) benchstat bench/baseline.txt bench-new.txt

bench-compare: deps ## the gateway, radsecproxy and a bare relay, interleaved; about half an hour
	@dpkg -s linux-perf >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends linux-perf || echo 'without linux-perf no system calls are counted'
	$(GO) run ./bench compare -json bench-compare.json

deps: ## install what the tests need from Debian, where it is missing
	@missing=; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  command -v apt-get >/dev/null || { echo "the tests need these programs, please install them:$$missing"; exit 1; }; \
	  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing; \
	fi

ci: ## what CI runs
	./.ci/run

# Image, compose file, Kubernetes manifests (docker/) and packages (packaging/).
# Their tests need what these lists name, as Debian calls it.
DOCKER_PACKAGES  := freeradius radsecproxy eapoltest prometheus curl
PACKAGING_PACKAGES := debootstrap rpm freeradius iproute2 openssl
IMAGE           ?= radsec-gw:$(VERSION)$(IMAGE_ARCH:%=-%)
IMAGE_ARCH      ?=
NFPM            := $(GO) tool -modfile=tools/nfpm.mod nfpm
DIST            ?= dist
PACKAGE_VERSION ?= $(shell packaging/version package)
PACKAGE_ARCHS   ?= amd64 arm64
# Who makes the packages, and under which licence: yours to say.
PACKAGE_MAINTAINER ?= radsec-gw maintainers <radsec-gw@localhost>
PACKAGE_VENDOR  ?=
PACKAGE_LICENSE ?=

.PHONY: image docker-test docker-check packages packages-of-arch share packages-test

image: ## the container image, for this machine or IMAGE_ARCH (amd64, arm64)
	docker build -f docker/Dockerfile $(if $(IMAGE_ARCH),--platform linux/$(IMAGE_ARCH) --build-arg TARGETARCH=$(IMAGE_ARCH)) --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION=$$(git rev-parse HEAD)$$(git diff --quiet HEAD || echo +changes) -t $(IMAGE) .

docker-check: ## dashboards, rules and Kubernetes manifests, without a Docker engine
	@$(MAKE) -s deps PACKAGES=prometheus
	cd docker/test && $(GO) vet ./... && $(GO) test -count=1 ./... # uncached: what they read is outside of their module

docker-test: docker-check ## the image and the composed stack, with the Docker engine; about five minutes
	@$(MAKE) -s deps PACKAGES='$(DOCKER_PACKAGES)'
	timeout -k 60 900 bash docker/test/run.sh

packages: ## Debian and RPM packages in dist/, for PACKAGE_ARCHS, with an SBOM each
	$(GO) -C packaging/sbom build -o $(abspath $(DIST))/sbom .
	@$(MAKE) -s share
	@for arch in $(PACKAGE_ARCHS); do echo "packages for $$arch"; \
	  $(MAKE) -s packages-of-arch DIST=$(abspath $(DIST))/$$arch PACKAGE_ARCH=$$arch || exit 1; done

# For PACKAGE_ARCH. nfpm itself takes the licence from no variable.
packages-of-arch:
	@mkdir -p $(DIST)
	CGO_ENABLED=0 GOOS=linux GOARCH=$(PACKAGE_ARCH) $(GO) build -trimpath -ldflags '-s -w -X main.version=$(PACKAGE_VERSION)' -o $(DIST)/radsec-gw ./cmd/radsec-gw
	$(DIST)/../sbom -version '$(PACKAGE_VERSION)' $(DIST)/radsec-gw >$(DIST)/sbom.cdx.json
	sed 's|$${PACKAGE_LICENSE}|$(PACKAGE_LICENSE)|' packaging/nfpm.yaml >$(DIST)/nfpm.yaml
	export DIST=$(DIST) SHARE=$(abspath $(DIST)/../share) PACKAGE_ARCH=$(PACKAGE_ARCH) PACKAGE_VERSION='$(PACKAGE_VERSION)' PACKAGE_MAINTAINER='$(PACKAGE_MAINTAINER)' PACKAGE_VENDOR='$(PACKAGE_VENDOR)'; \
	  for p in deb rpm; do $(NFPM) package -f $(DIST)/nfpm.yaml -p $$p -t $(DIST)/.. || exit 1; done

# By the program itself, built for this machine: GOARCH may be another.
share: ## manual pages and completion in dist/share/
	@mkdir -p $(DIST)/share
	unset GOARCH GOOS; CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(PACKAGE_VERSION)' -o $(DIST)/share/radsec-gw ./cmd/radsec-gw
	export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null); cd $(DIST)/share && \
	  ./radsec-gw man > radsec-gw.8 && ./radsec-gw man -section 5 > radsec-gw.toml.5 && gzip -9nf radsec-gw.8 radsec-gw.toml.5 && \
	  for s in bash zsh fish; do ./radsec-gw completion $$s > radsec-gw.$$s || exit 1; done
	rm $(DIST)/share/radsec-gw

packages-test: ## install, run, upgrade and remove the packages in a fresh Debian
	@$(MAKE) -s deps PACKAGES='$(PACKAGING_PACKAGES)'
	$(SUDO) timeout -k 30 600 bash packaging/test/run.sh
