# shellcheck shell=bash
# The tests of Go's drivers, from the modules' own sources. Part of scripts/pg-suites.sh.

# The versions that are run; pgx is the one that the gateway itself uses.
pq_version=v1.10.9
sqlx_version=v1.4.0
bun_version=v1.2.18

# module MODULE VERSION prints a writable copy of a module's source.
module() {
	local copy=$keep/src/$1 dir
	if [ ! -d "$copy" ]; then
		dir=$(GOFLAGS=-mod=mod go mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
		mkdir -p "$(dirname "$copy")"
		cp -r "$dir" "$copy" && chmod -R u+w "$copy"
	fi
	echo "$copy"
}

# database NAME makes it anew.
database() { psql -qX -d postgres -c "drop database if exists $1 with (force)" -c "create database $1" >>"$out/log" 2>&1; }

# go_tests MODULE COMMAND...: the tests that fail, of what `go test -json` prints.
go_tests() {
	local prefix=$1
	shift
	"$@" >"$out/json" 2>>"$out/log" || true
	python3 - "$out" "$prefix" <<-'PY'
		import json, sys
		out, prefix = sys.argv[1:]
		failed, packages, passed, skipped = set(), set(), 0, 0
		for line in open(out + "/json"):
		    try: e = json.loads(line)
		    except ValueError: continue
		    name = e.get("Package", "").replace(prefix, "") + " " + e.get("Test", "(package)")
		    if e["Action"] == "fail":
		        failed.add(name.strip())
		        if "Test" in e: packages.add(e["Package"].replace(prefix, "") + " (package)")
		    if e["Action"] == "pass" and "Test" in e: passed += 1
		    if e["Action"] == "skip" and "Test" in e: skipped += 1
		failed -= {p.strip() for p in packages}  # a package fails by itself only when no test of it did
		if passed + len(failed) == 0: failed.add("(nothing ran)")
		open(out + "/failed", "w").write("".join(sorted(f + "\n" for f in failed)))
		open(out + "/summary", "w").write(f"{passed} passed, {len(failed)} failed, {skipped} skipped\n")
	PY
}

suite_pgx() {
	local copy dsn="host=$PGHOST port=$PGPORT user=postgres password=$PGPASSWORD dbname=pgx_test sslmode=disable"
	copy=$(module github.com/jackc/pgx/v5 "$(go list -m -f '{{.Version}}' github.com/jackc/pgx/v5)")
	database pgx_test
	psql -qX -d pgx_test -c 'create extension if not exists hstore; create extension if not exists ltree; create domain uint64 as numeric(20,0)' >>"$out/log" 2>&1
	# A name that the tests of aclitem use; it has to exist.
	psql -qX -d postgres -c "create user \" tricky, ' } \"\" \\ test user \" superuser password 'secret'" >>"$out/log" 2>&1 || true
	cd "$copy"
	PGX_TEST_DATABASE=$dsn PGX_TEST_TCP_CONN_STRING=$dsn go_tests github.com/jackc/pgx/v5 \
		go test -count=1 -p 1 -timeout 10m -json . ./pgconn ./pgtype/... ./pgxpool ./stdlib ./multitracer ./tracelog
	cd - >/dev/null
}

# lib/pq's tests, with parameters in text and then in binary.
suite_pq() {
	local copy binary
	copy=$(module github.com/lib/pq "$pq_version")
	database pqgotest
	cd "$copy"
	for binary in no yes; do
		PGDATABASE=pqgotest PQTEST_BINARY_PARAMETERS=$binary go_tests github.com/lib/pq go test -count=1 -p 1 -timeout 5m -json ./...
		sed "s/\$/ (binary_parameters=$binary)/" "$out/failed" >"$out/failed-$binary"
		mv "$out/json" "$out/json-$binary"
		mv "$out/summary" "$out/summary-$binary"
	done
	sort "$out"/failed-{no,yes} >"$out/failed"
	paste -sd\; "$out"/summary-{no,yes} >"$out/summary"
	cd - >/dev/null
}

suite_sqlx() {
	local copy
	copy=$(module github.com/jmoiron/sqlx "$sqlx_version")
	database sqlx
	cd "$copy"
	SQLX_POSTGRES_DSN="postgres://postgres:$PGPASSWORD@$PGHOST:$PGPORT/sqlx?sslmode=disable" SQLX_MYSQL_DSN=skip SQLX_SQLITE_DSN=skip \
		go_tests github.com/jmoiron/sqlx go test -count=1 -p 1 -timeout 5m -json ./...
	cd - >/dev/null
	# Without a database they pass by doing nothing.
	! grep -q 'Disabling PG tests' "$out/json" || echo "(no database)" >>"$out/failed"
}

suite_bun() {
	local copy
	copy=$(module github.com/uptrace/bun/driver/pgdriver "$bun_version")
	database bun
	cd "$copy"
	go mod edit -dropreplace github.com/uptrace/bun
	PG="postgres://postgres:$PGPASSWORD@$PGHOST:$PGPORT/bun?sslmode=disable" \
		go_tests github.com/uptrace/bun/driver/pgdriver env GOFLAGS="${GOFLAGS:-} -mod=mod" go test -count=1 -p 1 -timeout 5m -json ./...
	cd - >/dev/null
}
