#!/usr/bin/env bash
# Runs the tests that need heavy real servers and clients (build tag real): Vault, Python, Node, Java. What they
# need is built or installed once into a cache outside the tree, ${XDG_CACHE_HOME:-~/.cache}/sallyport-test.
# Whatever cannot be had is an error, never a silent skip.
#
#   scripts/test-real.sh [--prepare] [go test flags]     --prepare only fills the cache
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/sallyport-test
clients=testdata/real
prepare=
if [ "${1:-}" = --prepare ]; then
	prepare=1
	shift
fi
mkdir -p "$cache"

# One at a time: a second run waits for what the first is building.
if command -v flock >/dev/null 2>&1; then
	exec 9>"$cache/lock"
	flock 9
fi

have() { command -v "$1" >/dev/null 2>&1; }

need() { # need PROGRAM PACKAGE...: the program, installed as root when it is missing
	local program=$1
	shift
	have "$program" && return
	if [ "$(id -u)" = 0 ] && have apt-get; then
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
	fi
	have "$program" || {
		echo "test-real: $program is missing; on Debian and Ubuntu: apt-get install $*" >&2
		exit 1
	}
}

# vault: a real Vault, built from its source by internal/testvault.
vault() {
	SALLYPORT_TESTVAULT=$(internal/testvault/build.sh)
	export SALLYPORT_TESTVAULT
}

# python: a virtual environment with what requirements.txt pins.
python() {
	need python3 python3 python3-venv python3-pip
	local sum dir
	sum=$(cat "$clients/python/requirements.txt" <(python3 --version) | cksum | cut -d' ' -f1)
	dir=$cache/python-$sum
	if [ ! -e "$dir/ready" ]; then
		rm -rf "$dir"
		if ! python3 -m venv "$dir" 2>/dev/null; then
			rm -rf "$dir"
			[ "$(id -u)" = 0 ] && have apt-get && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-venv
			python3 -m venv "$dir"
		fi
		"$dir/bin/pip" install --quiet -r "$clients/python/requirements.txt"
		touch "$dir/ready"
	fi
	export SALLYPORT_TEST_PYTHON=$dir/bin/python
}

# node: node_modules with what package-lock.json pins.
node() {
	need node nodejs npm
	need npm nodejs npm
	local sum dir
	sum=$(cat "$clients/node/package-lock.json" <(command node --version) | cksum | cut -d' ' -f1)
	dir=$cache/node-$sum
	if [ ! -e "$dir/ready" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		cp "$clients/node/package.json" "$clients/node/package-lock.json" "$dir/"
		(cd "$dir" && npm ci --silent --no-audit --no-fund --ignore-scripts)
		touch "$dir/ready"
	fi
	export SALLYPORT_TEST_NODE=$dir
}

# java: PostgreSQL's JDBC driver as pom.xml pins it, and the tools' programs, compiled.
java() {
	need javac default-jdk-headless
	need mvn maven
	local sum dir
	sum=$(cat "$clients"/tools/*.java "$clients/tools/pom.xml" <(javac -version) | cksum | cut -d' ' -f1)
	dir=$cache/java-$sum
	if [ ! -e "$dir/ready" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		mvn -q -B -f "$clients/tools/pom.xml" dependency:copy-dependencies -DoutputDirectory="$dir"
		javac -d "$dir" "$clients"/tools/*.java
		touch "$dir/ready"
	fi
	export SALLYPORT_TEST_JAVA="$dir:$dir/*"
}

vault
python
node
java
[ -z "$prepare" ] || exit 0
if [ -e "$cache/lock" ] && have flock; then
	flock -u 9
fi

packages=$(git grep -l --untracked -E '^//go:build .*\breal\b' -- '*_test.go' | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
if [ -z "$packages" ]; then
	echo "test-real: no test with the tag real found" >&2
	exit 1
fi
# shellcheck disable=SC2086
go test -tags real -count=1 "$@" $packages </dev/null
