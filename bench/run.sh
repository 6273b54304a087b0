#!/usr/bin/env bash
# Measures the archive beside the peers that are installed, and the packages by
# themselves. COUNT runs each (default 5); the table is benchstat's.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-/tmp/collimator-bench.txt}
{
  echo "# $(uname -sr), $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs), commit $(git rev-parse --short HEAD)"
  go test -tags bench -run '^$' -bench . -benchtime "${TIME:-5x}" -count "${COUNT:-5}" -timeout 60m ./bench/
} | tee "$out"
if go run golang.org/x/perf/cmd/benchstat@v0.0.0-20260312031701-16a31bc5fbd0 -col /system "$out" 2>/dev/null; then :; else
  echo "benchstat is not to be had; the figures are in $out"
fi
