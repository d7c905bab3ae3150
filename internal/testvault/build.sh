#!/usr/bin/env bash
# Prints the path of a real Vault for tests, building it first if its sources changed. The first build takes
# minutes (about 5 on two cores), 4 GB of Go caches and network; after that it is a look at a file.
#
#   internal/testvault/build.sh [OUTPUT]     with OUTPUT the binary is put there, too, and that path printed
set -euo pipefail
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/sallyport-test
mkdir -p "$cache"
sum=$(cat main.go go.mod go.sum <(go version) | cksum | cut -d' ' -f1)
binary=$cache/testvault-$sum

build() {
	echo "testvault: building a real Vault into $binary; the first time this takes minutes" >&2
	# -mod=mod: Vault's own requirements are not tidy.
	GOWORK=off GOFLAGS='-mod=mod -buildvcs=false' CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$binary.part.$$" . >&2
	mv -f "$binary.part.$$" "$binary"
}

if [ ! -x "$binary" ]; then
	if command -v flock >/dev/null 2>&1; then # one builds, the others wait for it
		exec 8>"$cache/testvault.lock"
		flock 8
	fi
	[ -x "$binary" ] || build
fi
if [ -n "${1:-}" ] && [ "$1" != "$binary" ]; then
	mkdir -p "$(dirname "$1")"
	cmp -s "$binary" "$1" || { cp "$binary" "$1.part.$$" && mv -f "$1.part.$$" "$1"; }
	binary=$1
fi
echo "$binary"
