#!/usr/bin/env bash
# Runs all tests: the ones that need nothing but Go, then those against other
# people's software.
set -euo pipefail
cd "$(dirname "$0")/.."
make --no-print-directory check
go test -timeout 25m ./...
go test -tags interop -count=1 -timeout 25m ./interop/... ./dimse/...
COLLIMATOR_ATTACK_SECONDS=20 go test -tags interop -run TestEverythingAtOnce -count=1 -timeout 10m ./interop/
