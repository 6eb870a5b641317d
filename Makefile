# make help lists what there is; make check is what CI runs, nothing more.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The programs are made without cgo, so everything is tested without it, and built
# once; only the race detector needs it.
export CGO_ENABLED := 0

# command:Debian package that has it
NEEDS := protoc:protobuf-compiler openssl:openssl gcc:gcc strace:strace pdfsig:poppler-utils certutil:libnss3-tools curl:curl xmlsec1:xmlsec1 softhsm2-util:softhsm2

.PHONY: help check needs format vet staticcheck build windows test ratios race crosscheck rounds tidy generate generated fix bin signer clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

check: needs format vet staticcheck build windows test ratios race crosscheck rounds tidy generated ## everything that must hold before a change goes in
	@echo 'check: all is well'

needs: ## say which programs check needs and does not find
	@missing=; for need in $(NEEDS); do \
	  command -v "$${need%%:*}" >/dev/null || missing="$$missing $${need##*:}"; done; \
	if [ -n "$$missing" ]; then \
	  echo "make check needs programs that are not here; install these Debian packages:$$missing" >&2; exit 1; fi

format: ## list files that gofumpt would change; none may be
	@files=$$(go tool gofumpt -l .); if [ -n "$$files" ]; then \
	  echo "not formatted (make fix does it):" >&2; echo "$$files" >&2; exit 1; fi

vet: ## go vet, with the tests that need other programs
	go vet -tags crosscheck ./...

staticcheck: ## staticcheck, with the tests that need other programs
	go tool staticcheck -tags crosscheck ./...

build: ## build everything for Linux without cgo
	GOOS=linux go build ./...

windows: ## build everything for Windows without cgo
	GOOS=windows go build ./...

test: ## all tests, with the seeds of the fuzz targets
	go test -timeout 20m ./...

ratios: ## what things cost in processor time, against the committed floors: within a minute
	timeout 120 go run ./cmd/bench cut

# Not cmd: its tests run whole programs, whose parts all run here, too. The package that
# takes longest begins first. SQLite, which is C made Go, is not watched itself: that took
# four times as long (axis/ledger), and what calls it still is.
race: ## all tests but those of whole programs under the race detector, in any order
	CGO_ENABLED=1 go test -race -gcflags='modernc.org/sqlite/lib=-race=false' -shuffle=on -timeout 20m ./internal/hubtest $$(go list ./... | grep -Ev '/cmd(/|$$)|/internal/hubtest$$')

crosscheck: ## the tests that compare with other programs, such as openssl
	files=$$(grep -rl --include='*_test.go' '^//go:build crosscheck' .); \
	tests=$$(sed -n 's/^func \(Test[A-Za-z0-9_]*\)(t .*/\1/p' $$files | paste -sd '|'); \
	go test -tags crosscheck -timeout 10m -run "^($$tests)$$" $$(dirname $$files | sort -u)

rounds: needs ## kill the real programs under load, and look at what is left, again and again
	go test -tags crosscheck -timeout 20m -parallel 3 ./internal/rounds -run '^TestRounds$$' -v -rounds=108 | grep -v '^=== '

tidy: ## go.mod and go.sum must be as go mod tidy would leave them
	go mod tidy -diff

generate: ## make proto/axispb from proto/*.proto
	proto/generate.sh

# The line that names protoc's version differs from one Debian to the next.
generated: needs ## proto/axispb must be what proto/*.proto give; changes nothing
	@kept=$$(mktemp -d); cp -Rp proto/axispb/. "$$kept"; \
	trap 'rm -rf proto/axispb; mkdir proto/axispb; cp -Rp "$$kept"/. proto/axispb; rm -rf "$$kept"' EXIT; \
	rm -f proto/axispb/*.pb.go; proto/generate.sh; \
	diff -ru -I '^//.protoc ' "$$kept" proto/axispb || { echo 'proto/axispb is not what proto/*.proto give: make generate' >&2; exit 1; }

fix: ## format the code, tidy go.mod, make generated code
	go tool gofumpt -l -w .
	go mod tidy
	proto/generate.sh

bin: ## build the commands into bin/
	@if [ -d cmd ]; then mkdir -p bin; go build -trimpath -ldflags='-s -w' -o bin/ ./cmd/...; else echo 'there are no commands yet'; fi

signer: ## build the program that reaches tokens and HSMs into bin/, which alone needs cgo
	CGO_ENABLED=1 go build -trimpath -o bin/ ./cmd/signer

clean: ## remove what was built
	rm -rf bin
