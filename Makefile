# make run     builds and starts the archive with its data in ./data
# make test    installs what the tests need and runs them all
# make help    lists the rest

GO    ?= go
DATA  ?= ./data
export CGO_ENABLED = 0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: web
web: web/dist/viewer.zip web/dist/console.zip ## build what browsers get (needs Node.js)

web/dist/viewer.zip: $(wildcard web/viewer/*) tools/web.sh
	@tools/web.sh viewer

web/dist/console.zip: $(shell find web/console -type f) web/package.json web/package-lock.json tools/web.sh
	@tools/web.sh console

.PHONY: build
build: web ## build ./collimator
	$(GO) build -trimpath -o collimator ./cmd/collimator

.PHONY: run
run: build ## build and start the archive with its data in ./data
	./collimator serve --data $(DATA)

.PHONY: peers
peers: ## install the other people's software the tests talk to (Debian)
	@tools/peers.sh

.PHONY: test
test: peers web ## install what the tests need and run them all
	@tools/test.sh

.PHONY: unit
unit: ## the tests that need nothing but Go
	$(GO) vet ./...
	$(GO) test ./...

.PHONY: race
race: ## the tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: fuzz
fuzz: ## fuzz every decoder for FUZZTIME each (default 20s)
	@tools/fuzz.sh

.PHONY: crash
crash: build ## kill -9 in the middle of an ingest, ROUNDS times (default 200)
	COLLIMATOR_CRASH_ROUNDS=$${ROUNDS:-200} $(GO) test -tags interop -run TestKilledServer -v -count=1 -timeout 240m ./interop/

.PHONY: attack
attack: build ## every attack on the door at once, SECONDS_LONG (default 600)
	COLLIMATOR_ATTACK_SECONDS=$${SECONDS_LONG:-600} $(GO) test -tags interop -run TestEverythingAtOnce -v -count=1 -timeout 60m ./interop/

.PHONY: bytes
bytes: ## change BYTES single bytes (default 2000) of an archive, and have each found by verify
	COLLIMATOR_BYTE_CHANGES=$${BYTES:-2000} $(GO) test -run TestEverySingleByteChange -v -count=1 -timeout 60m ./internal/house/

.PHONY: powercut
powercut: build ## cut the power under an archive in use, ROUNDS times (default 100), with disks that misbehave; needs root
	COLLIMATOR_POWERCUT_ROUNDS=$${ROUNDS:-100} $(GO) test -tags interop -run 'PowerCut|FullDisk' -v -count=1 -timeout 180m ./interop/
	cd tools/powercut && $(GO) vet ./... && $(GO) test ./...

.PHONY: viewers
viewers: peers build ## open every kind of object of the corpus in OHIF, and hold it against what the server renders
	COLLIMATOR_VIEWERS=all $(GO) test -tags interop -run TestOHIFOpensEveryKind -v -count=1 -timeout 40m ./interop/

.PHONY: bench
bench: peers build ## measure the archive beside Orthanc
	@bench/run.sh

.PHONY: check
check: ## formatting, vet, staticcheck, dead code, generated files
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags interop ./... && $(GO) vet -tags bench ./bench/
	$(GO) mod tidy -diff
	$(GO) tool -modfile=tools/check/go.mod staticcheck -tags interop ./...
	@$(GO) tool -modfile=tools/check/go.mod deadcode -test -tags interop ./... | grep -v "^dicom\|^dimse" | tee /dev/stderr | (! grep -q .)

.PHONY: clean
clean: ## remove what was built, not the data
	rm -f collimator
