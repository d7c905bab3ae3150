#!/usr/bin/env bash
# Lets sqlsmith write statements over PostgreSQL's whole catalog and sends them through a target with
# pack = "read-only", whose login is a superuser on the server. Before and after, everything the server holds is
# compared: nothing may change, and nothing crash.
#
#   scripts/sqlsmith.sh [TIME]      as Go writes it: 10m
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v sqlsmith >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends sqlsmith
fi
command -v sqlsmith >/dev/null 2>&1 || {
	echo "sqlsmith: it is missing; on Debian and Ubuntu: apt-get install sqlsmith" >&2
	exit 1
}
SALLYPORT_SMITH=${1:-10m} go test -count=1 -timeout=0 -tags smith -run 'TestSmith$' -v ./cmd/sallyport
