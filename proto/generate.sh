#!/bin/sh
# Makes proto/axispb from proto/*.proto. Needs protoc (Debian: protobuf-compiler);
# protoc-gen-go is built from the version that go.mod pins.
set -eu
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -o "$bin/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go
PATH="$bin:$PATH" protoc --proto_path=. --go_out=axispb --go_opt=module=docaxis/proto/axispb ./*.proto
