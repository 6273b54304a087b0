#!/usr/bin/env bash
# Builds one part of what browsers get, the viewer or the console, and puts it where the program embeds it. Without
# Node it names what is left out; the program says so on its pages. With CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
part="$1"

if ! command -v npm >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing: nodejs npm"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install -y --no-install-recommends nodejs npm; } >/tmp/collimator-web.log 2>&1 ||
    echo "apt-get did not install them; see /tmp/collimator-web.log"
fi

leave() {
  echo "LEFT OUT: the $part ($1)"
  [ "${CI:-}" != true ] || exit 1
  exit 0
}
command -v npm >/dev/null 2>&1 || leave "it needs Debian's nodejs and npm"

# What builds them is installed once for both, and again when the lock file is another one.
installed=web/node_modules/.lock
if ! cmp -s web/package-lock.json "$installed"; then
  (cd web && npm ci --no-audit --no-fund --silent) || leave "npm does not install what builds it: see above"
  cp web/package-lock.json "$installed"
fi

case "$part" in
viewer) node web/viewer/build.mjs || leave "its package cannot be had, or is another one: see above" ;;
console) (cd web && npm run --silent console) ;;
*) echo "usage: tools/web.sh viewer|console" >&2; exit 2 ;;
esac
go run ./tools/webzip "web/out/$part" "web/dist/$part.zip"
