#!/usr/bin/env bash
# Rewrites the golden files: every test package that has an -update flag is run with it.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$(git grep -l -E 'flag\.Bool\("update"' -- '*_test.go' | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
if [ -z "$packages" ]; then
	echo "golden: no test package has an -update flag" >&2
	exit 1
fi
# shellcheck disable=SC2086
go test -count=1 $packages -update
git --no-pager diff --stat -- '*testdata*'
