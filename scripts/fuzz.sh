#!/usr/bin/env bash
# Fuzzes every Fuzz function of the tree, one after the other, for the time given (go test's -fuzztime).
set -euo pipefail
cd "$(dirname "$0")/.."

time=${1:-20s}
found=0
while read -r file name; do
	found=1
	echo "fuzz: $name in $(dirname "$file")"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "./$(dirname "$file")" </dev/null
done < <(git grep -o -E "^func Fuzz[A-Za-z0-9_]+" -- "*_test.go" |
	sed -E 's/^([^:]+):func /\1 /')
if [ "$found" = 0 ]; then
	echo "fuzz: no fuzz target found" >&2
	exit 1
fi
