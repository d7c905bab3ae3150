#!/usr/bin/env bash
# Makes sure that what `make demo` and `make test` need is on this machine: Go, a C compiler, git and the
# PostgreSQL server with psql. Missing programs are installed through the system's package manager when run
# as root; otherwise this says what to install and exits 1. It starts no service.
# shellcheck disable=SC2086  # lists of names are split on purpose
set -euo pipefail

need_go=$(awk '$1 == "go" { print $2; exit }' "$(dirname "$0")/../go.mod")

have() { command -v "$1" >/dev/null 2>&1; }

# pg_bin prints the folder of PostgreSQL's server programs, newest version first.
pg_bin() {
	local dir
	if [ -n "${SALLYPORT_PG_BIN:-}" ]; then
		[ -x "$SALLYPORT_PG_BIN/initdb" ] && [ -x "$SALLYPORT_PG_BIN/postgres" ] && echo "$SALLYPORT_PG_BIN"
		return
	fi
	if have initdb && have postgres; then
		dirname "$(readlink -f "$(command -v initdb)")"
		return
	fi
	for dir in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*/ \
		/opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin 2>/dev/null | sort -Vr); do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
			echo "$dir"
			return
		fi
	done
	return 1
}

missing() {
	have go || echo go
	have "${CC:-cc}" || have gcc || have clang || echo cc
	have git || echo git
	pg_bin >/dev/null || echo postgresql
	have psql || echo psql
}

install_with_apt() {
	local packages=()
	for what in "$@"; do
		case $what in
		go) ;; # distributions' Go is mostly too old: see the check below
		cc) packages+=(gcc libc6-dev) ;;
		git) packages+=(git) ;;
		postgresql) packages+=(postgresql) ;;
		psql) packages+=(postgresql-client) ;;
		esac
	done
	[ ${#packages[@]} -gt 0 ] || return 0
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	case " ${packages[*]} " in *" postgresql "*)
		# The package would set up and start a cluster of its own; nothing here wants one.
		apt-get install -q -y --no-install-recommends postgresql-common
		if [ -f /etc/postgresql-common/createcluster.conf ]; then
			sed -i -E 's/^#?\s*create_main_cluster\b.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
		fi
		;;
	esac
	apt-get install -q -y --no-install-recommends "${packages[@]}"
}

install_with_dnf() {
	local packages=()
	for what in "$@"; do
		case $what in
		cc) packages+=(gcc glibc-devel) ;;
		git) packages+=(git) ;;
		postgresql) packages+=(postgresql-server postgresql-contrib) ;;
		psql) packages+=(postgresql) ;;
		esac
	done
	[ ${#packages[@]} -gt 0 ] || return 0
	dnf install -y "${packages[@]}"
}

say_what_to_install() {
	echo "setup: missing on this machine: $*" >&2
	for what in "$@"; do
		case $what in
		go) echo "  go: Go $need_go or newer, from https://go.dev/dl/" >&2 ;;
		cc) echo "  cc: a C compiler. Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install" >&2 ;;
		git) echo "  git: Debian, Ubuntu: apt-get install git; Fedora: dnf install git; macOS: xcode-select --install" >&2 ;;
		postgresql) echo "  postgresql: the PostgreSQL server's programs (initdb, postgres). Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server postgresql-contrib; macOS: brew install postgresql" >&2 ;;
		psql) echo "  psql: Debian, Ubuntu: apt-get install postgresql-client; Fedora: dnf install postgresql; macOS: brew install postgresql" >&2 ;;
		esac
	done
}

gone=$(missing)
if [ -n "$gone" ] && [ "$(id -u)" = 0 ]; then
	echo "setup: installing" $gone
	if have apt-get; then
		install_with_apt $gone
	elif have dnf; then
		install_with_dnf $gone
	fi
	hash -r
	gone=$(missing)
fi
if [ -n "$gone" ]; then
	say_what_to_install $gone
	exit 1
fi
