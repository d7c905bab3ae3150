#!/usr/bin/env bash
# Runs PostgreSQL's own test suites and those of its drivers through the gateway and directly, and says where they differ.
# For a person or a nightly job: all of them take about an hour, and some more the first time, when sources and drivers are
# fetched and built in a cache outside the tree. Each suite is a function of scripts/suites/*.sh or below.
#
#   scripts/pg-suites.sh [SUITE...]      all of them without a name:
#       regress isolation pipeline dump (after regress)       PostgreSQL's; pg_dump, pg_restore and \copy
#       pgx pq sqlx bun sqlalchemy_psycopg sqlalchemy_asyncpg the drivers' own tests
#       jdbc node_pg postgres_js cancels                      programs of testdata/suites, by what they print
#   MODE=open      no rule and no mask, and every door of the targets open (the default)
#   MODE=ruled     a rule on a table that no suite uses; every door as it is by itself
#   MODE=pinned    the rule, and a mask on such a table
#   ROUTES="direct gateway"              the default; one of them alone compares nothing
#   SCHEDULE=FILE                        for regress: its tests alone, instead of PostgreSQL's parallel_schedule
#   KEEP=FOLDER                          where outputs stay; a temporary folder otherwise, printed at the end
#
# Exit status 1: a test fails through the gateway that does not fail directly, and is not in scripts/suites/by-design.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${MODE:-open}
routes=${ROUTES:-direct gateway}
all="regress dump isolation pipeline pgx pq sqlx bun sqlalchemy_psycopg sqlalchemy_asyncpg jdbc node_pg postgres_js cancels"
suites=${*:-$all}
# Each is a target of its own name.
databases="postgres template1 regression isolation_regression pipeline pgx_test pqgotest sqlx bun test restored copied jdbc node cancels"
if [ "$(id -u)" = 0 ]; then cache=/var/cache/sallyport/suites; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/sallyport/suites; fi
keep=${KEEP:-$(mktemp -d "${TMPDIR:-/tmp}/sallyport-suites-XXXXXX")}
mkdir -p "$cache" "$keep"
chmod 755 "$keep"
keep=$(cd "$keep" && pwd)
bin=${SALLYPORT_PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
major=$("$bin/postgres" --version | sed -E 's/.* ([0-9]+)[.a-z].*/\1/')
dpkg_version=$(dpkg-query -W -f '${Version}' "postgresql-$major" 2>/dev/null || true)

say() { echo "suites: $*" >&2; }

# source_tree fetches and builds what the suites are made of: $cache/VERSION/{src,build}.
source_tree() {
	tree=$cache/$dpkg_version
	[ -e "$tree/ready" ] && return
	[ -n "$dpkg_version" ] || { say "PostgreSQL $major is not Debian's: its source can't be had"; exit 1; }
	say "fetching the source of postgresql-$major $dpkg_version"
	rm -rf "$tree" && mkdir -p "$tree"/apt/lists/partial "$tree"/apt/cache/archives/partial "$tree"/{src,build}
	sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$tree/apt/debian.sources"
	local apt="-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$tree/apt -o Dir::State::Lists=$tree/apt/lists -o Dir::Cache=$tree/apt/cache"
	apt-get $apt update
	(cd "$tree" && apt-get $apt source --download-only "postgresql-$major=$dpkg_version")
	tar xf "$tree"/postgresql-*.orig.tar.bz2 -C "$tree/src" --strip-components=1
	say "building the test programs"
	(
		cd "$tree/build"
		../src/configure --prefix="$tree/inst" --without-readline --without-zlib --without-icu
		make -s -C src/backend generated-headers
		for dir in src/test/regress src/test/isolation src/test/modules/libpq_pipeline; do make -s -j2 -C "$dir"; done
	) >"$tree/build.log" 2>&1 || { say "the build failed: $tree/build.log"; exit 1; }
	touch "$tree/ready"
}

# server starts PostgreSQL in a scratch folder of its own, as an account that is not root.
server() {
	scratch=$(mktemp -d /tmp/sallyport-suites-pg-XXXXXX)
	as=()
	if [ "$(id -u)" = 0 ]; then
		chown postgres "$scratch"
		as=(runuser -u postgres --)
	fi
	PGPASSWORD=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
	upstream_password=$PGPASSWORD
	echo "$PGPASSWORD" >"$scratch/pw"
	[ "$(id -u)" != 0 ] || chown postgres "$scratch/pw"
	pgport=$(free_port)
	(cd "$scratch" && env -u PGPASSWORD "${as[@]}" "$bin/initdb" -D "$scratch/data" -U postgres --pwfile "$scratch/pw" -A scram-sha-256 -E UTF8 --locale C.UTF-8 --no-sync >"$keep/initdb.log")
	cat >>"$scratch/data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = $pgport
		unix_socket_directories = ''
		fsync = off
		max_connections = 100
		max_prepared_transactions = 20
		lc_messages = 'C'
	CONF
	(cd "$scratch" && "${as[@]}" "$bin/pg_ctl" -D "$scratch/data" -l "$scratch/server.log" -w start >/dev/null)
	trap 'stop' EXIT
	[ "$mode" != pinned ] || masked_table
}

# masked_table makes the table that the mask names, in every database that is and that will be. It has no rows: a dump
# through the gateway shall be the direct one.
masked_table() {
	local database
	through direct
	psql -qX -d postgres -c 'alter database template0 allow_connections true'
	for database in template0 template1 postgres; do
		psql -qX -d "$database" -c 'create schema sallyport_masked' \
			-c 'create table sallyport_masked.sallyport_unrelated (id integer primary key, name text, secret text)'
	done
	psql -qX -d postgres -c 'alter database template0 allow_connections false'
}

stop() {
	[ -z "${gateway_pid:-}" ] || { kill "$gateway_pid" 2>/dev/null || true; wait "$gateway_pid" 2>/dev/null || true; }
	(cd "$scratch" && "${as[@]}" "$bin/pg_ctl" -D "$scratch/data" -m immediate stop >/dev/null 2>&1) || true
	cp "$scratch/server.log" "$keep/server.log" 2>/dev/null || true
	rm -rf "$scratch"
}

free_port() {
	python3 - <<-'PY' 2>/dev/null || echo $((20000 + RANDOM % 20000))
		import socket
		s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
	PY
}

# gateway starts `sallyport serve` with a target for each database that the suites name.
gateway() {
	token=suites-token
	gwport=$(free_port)
	local libraries=${tree:-/nowhere}/build/src/test/regress
	[ -n "${SALLYPORT_BIN:-}" ] || { SALLYPORT_BIN=$keep/sallyport; go build -o "$SALLYPORT_BIN" ./cmd/sallyport; }
	printf '{"username":"postgres","password":"%s"}' "$upstream_password" >"$keep/login.json"
	{
		printf '[listen]\npostgres = "127.0.0.1:%s"\nhttp = "off"\nconsole = "off"\nmetrics = "off"\n' "$gwport"
		printf '[store]\ndatabase = "sqlite:%s/store.db"\nrecordings = "file:%s/recordings"\n' "$keep" "$keep"
		printf '[[token]]\nsubject = "suites"\nsha256 = "%s"\n' "$(printf %s "$token" | sha256sum | cut -d' ' -f1)"
		printf '[[grant]]\nwho = ["subject:suites"]\ntargets = ["*"]\n'
		for database in $databases; do
			printf '[postgres.%s]\nupstream = "127.0.0.1:%s"\nsslmode = "disable"\ncredential = "file://%s/login.json"\n' "$database" "$pgport" "$keep"
			[ "$mode" != open ] || printf 'unparsed = "allow"\nfunction_calls = "allow"\nreplication = "allow"\nparser_settings = "free"\n'
			# The suite loads its tables from files of the server: its own, and those it writes.
			# Its functions in C nobody can read; "nosuchfile" is one that it looks for in vain.
			[ "$mode" = open ] || printf 'trusted_libraries = ["%s/regress.so", "%s/autoinc.so", "%s/refint.so", "nosuchfile"]\n' "$libraries" "$libraries" "$libraries"
			[ "$mode" != pinned ] || printf 'server_files = ["%s", "%s"]\n' "${tree:-/nowhere}" "$keep"
		done
		if [ "$mode" != open ]; then
			printf '[[rule]]\nname = "nothing"\ntargets = ["*"]\nif = "\x27sallyport_nothing\x27 in sql.tables"\nthen = "deny"\n'
		fi
		if [ "$mode" = pinned ]; then
			printf '[[mask]]\ntargets = ["*"]\ncolumns = ["sallyport_unrelated.secret"]\n'
		fi
	} >"$keep/gateway.toml"
	"$SALLYPORT_BIN" serve --config "$keep/gateway.toml" --log-format json 2>"$keep/gateway.log" &
	gateway_pid=$!
	local i
	for i in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$gwport") 2>/dev/null && return
		kill -0 "$gateway_pid" 2>/dev/null || { say "the gateway did not start: $(cat "$keep/gateway.log")"; exit 1; }
		read -rt 0.1 <> <(:) || true
	done
}

# through sets PGHOST and the like for a route, direct or gateway.
through() {
	export PGHOST=127.0.0.1 PGUSER=postgres PGSSLMODE=disable
	if [ "$1" = direct ]; then
		export PGPORT=$pgport PGPASSWORD=$upstream_password
	else
		export PGPORT=$gwport PGPASSWORD=$token
	fi
}

# Each suite writes $out/failed: the names of the tests that fail, sorted.

suite_regress() {
	local src=$tree/src/src/test/regress build=$tree/build/src/test/regress
	mkdir -p "$out"/{results,testtablespace,sql,expected} && chmod 777 "$out" "$out/results"
	(cd "$out" && "$build/pg_regress" --inputdir="$src" --outputdir="$out" --bindir="$bin" --dlpath="$build" \
		--host="$PGHOST" --port="$PGPORT" --user=postgres --max-concurrent-tests=20 --schedule="${SCHEDULE:-$src/parallel_schedule}") >"$out/log" 2>&1 || true
	regress_result "$out"
}

suite_isolation() {
	local src=$tree/src/src/test/isolation build=$tree/build/src/test/isolation
	mkdir -p "$out"/{results,specs,expected} && chmod 777 "$out" "$out/results"
	ln -sf "$build/isolationtester" "$out/isolationtester"
	(cd "$build" && ./pg_isolation_regress --inputdir="$src" --outputdir="$out" --bindir="$bin" --dlpath="$build" \
		--host="$PGHOST" --port="$PGPORT" --user=postgres --schedule="$src/isolation_schedule") >"$out/log" 2>&1 || true
	regress_result "$out"
}

# regress_result reads what pg_regress printed.
regress_result() {
	awk '/ FAILED|^not ok/ && !/ of [0-9]+ tests/ { sub(/^(test|not ok [0-9]+ *[-+])? */, ""); print $1 }' "$1/log" | sort >"$1/failed"
	grep -oE '(All )?[0-9]+( of [0-9]+)? tests (passed|failed)' "$1/log" | tail -1 >"$1/summary" || { tail -3 "$1/log" >"$1/summary"; echo "(suite)" >>"$1/failed"; }
}

suite_pipeline() {
	local src=$tree/src/src/test/modules/libpq_pipeline build=$tree/build/src/test/modules/libpq_pipeline test passed=0 all=0
	mkdir -p "$out/traces"
	: >"$out/failed"
	psql -qX -d postgres -c 'drop database if exists pipeline' -c 'create database pipeline' >>"$out/log" 2>&1
	for test in $("$build/libpq_pipeline" tests); do
		all=$((all + 1))
		# The order of the arguments as in t/001_libpq_pipeline.pl.
		local trace=()
		[ ! -e "$src/traces/$test.trace" ] || trace=(-t "$out/traces/$test.trace")
		if ! timeout 120 "$build/libpq_pipeline" "${trace[@]}" "$test" "dbname=pipeline" >"$out/$test.log" 2>&1; then
			echo "$test" >>"$out/failed"
		elif [ -e "$src/traces/$test.trace" ] && ! diff -u "$src/traces/$test.trace" "$out/traces/$test.trace" >"$out/$test.trace.diff"; then
			echo "$test (trace)" >>"$out/failed"
		else
			passed=$((passed + 1))
		fi
	done
	echo "$passed of $all" >"$out/summary"
}

for part in scripts/suites/*.sh; do
	# shellcheck disable=SC1090
	. "$part"
done

case " $suites " in *" regress "* | *" isolation "* | *" pipeline "*) source_tree ;; esac
server
case " $routes " in *" gateway "*) gateway ;; esac
bad=0
for suite in $suites; do
	for route in $routes; do
		out=$keep/$suite-$route
		rm -rf "$out" && mkdir -p "$out"
		through "$route"
		begin=$SECONDS
		"suite_$suite"
		printf '%-18s %-8s %s, %ds\n' "$suite" "$route" "$(tr -s ' =\n' ' ' <"$out/summary")" $((SECONDS - begin))
	done
	if [ -e "$keep/$suite-direct/failed" ] && [ -e "$keep/$suite-gateway/failed" ]; then
		new=$(comm -13 <(sort "$keep/$suite-direct/failed") <(sort "$keep/$suite-gateway/failed"))
		design=$(awk -F'\t' -v suite="$suite" -v mode="$mode" '$1 == suite || $1 == suite "@" mode || mode == "pinned" && $1 == suite "@ruled" { print $2 }' scripts/suites/by-design.txt | sort)
		expected=$(comm -12 <(echo "$new") <(echo "$design") | sed '/^$/d')
		new=$(comm -23 <(echo "$new") <(echo "$design"))
		if [ -n "$expected" ]; then
			echo "$suite: by design (scripts/suites/by-design.txt):"
			sed 's/^/    /' <<<"$expected"
		fi
		if [ -n "$new" ]; then
			bad=1
			echo "$suite: fails through the gateway only:"
			sed 's/^/    /' <<<"$new"
		fi
	fi
done
echo "outputs in $keep"
exit $bad
