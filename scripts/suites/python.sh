# shellcheck shell=bash
# SQLAlchemy's own tests of its PostgreSQL dialect, by way of two drivers. Part of scripts/pg-suites.sh.

# sqlalchemy_source installs the drivers and unpacks SQLAlchemy's source, with its tests: $cache/sqlalchemy-SUM.
sqlalchemy_source() {
	local pins=testdata/suites/python/requirements.txt version
	sqlalchemy=$cache/sqlalchemy-$(cat "$pins" <(python3 --version) | cksum | cut -d' ' -f1)
	[ ! -e "$sqlalchemy/ready" ] || return 0
	say "fetching SQLAlchemy and its drivers"
	rm -rf "$sqlalchemy" && mkdir -p "$sqlalchemy/src"
	python3 -m venv "$sqlalchemy/venv"
	"$sqlalchemy/venv/bin/pip" install --quiet -r "$pins"
	version=$(sed -n 's/^sqlalchemy==//p' "$pins")
	DISABLE_SQLALCHEMY_CEXT=1 "$sqlalchemy/venv/bin/pip" download --quiet --no-deps --no-binary sqlalchemy -d "$sqlalchemy" "sqlalchemy==$version"
	tar xf "$sqlalchemy/sqlalchemy-$version.tar.gz" -C "$sqlalchemy/src" --strip-components=1
	touch "$sqlalchemy/ready"
}

# sqlalchemy_tests DRIVER [PYTEST ARGUMENTS...]
sqlalchemy_tests() {
	local driver=$1
	shift
	sqlalchemy_source
	database test
	psql -qX -d test -c 'create schema test_schema; create schema test_schema_2; create extension hstore; create extension citext' \
		-c "alter database test set default_text_search_config = 'pg_catalog.english'" >>"$out/log" 2>&1
	(
		cd "$sqlalchemy/src"
		"$sqlalchemy/venv/bin/python" -m pytest -q -p no:cacheprovider --maxfail=10000 --junitxml="$out/junit.xml" \
			--dburi="postgresql+$driver://postgres:$PGPASSWORD@$PGHOST:$PGPORT/test" test/dialect/test_suite.py test/dialect/postgresql "$@"
	) >>"$out/log" 2>&1 || true
	python3 - "$out" <<-'PY'
		import re, sys, xml.etree.ElementTree as tree
		out = sys.argv[1]
		failed, passed, skipped = set(), 0, 0
		try: cases = tree.parse(out + "/junit.xml").getroot().iter("testcase")
		except (OSError, tree.ParseError): cases = []
		for case in cases:
		    name = re.sub(r"_postgresql\+\w+$", "", case.get("classname")) + " " + case.get("name")  # without the server's version
		    if case.find("failure") is not None or case.find("error") is not None: failed.add(name)
		    elif case.find("skipped") is not None: skipped += 1
		    else: passed += 1
		if passed == 0: failed.add("(nothing ran)")
		open(out + "/failed", "w").write("".join(sorted(f + "\n" for f in failed)))
		open(out + "/summary", "w").write(f"{passed} passed, {len(failed)} failed, {skipped} skipped\n")
	PY
}

suite_sqlalchemy_psycopg() { sqlalchemy_tests psycopg; }
suite_sqlalchemy_asyncpg() { sqlalchemy_tests asyncpg; }
