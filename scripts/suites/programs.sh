# shellcheck shell=bash
# Programs of testdata/suites that exercise a driver whose own tests its package does not hold. They print results under
# "## NAME", and what differs from the direct run's has failed. Part of scripts/pg-suites.sh.

# exercise DATABASE COMMAND...
exercise() {
	local database=$1 direct=$keep/${out##*/}
	shift
	direct=${direct%-*}-direct/out
	database "$database"
	PGDATABASE=$database timeout 600 "$@" >"$out/out" 2>>"$out/log" || echo "## (program)
ended with $?" >>"$out/out"
	[ -e "$direct" ] || direct=$out/out
	python3 - "$direct" "$out" <<-'PY'
		import sys
		def parts(path):
		    found = {}
		    for part in ("\n" + open(path, errors="replace").read()).split("\n## ")[1:]:
		        name, _, text = part.partition("\n")
		        found[name] = text.strip()
		    return found
		direct, out = sys.argv[1:]
		want, got = parts(direct), parts(out + "/out")
		failed = sorted(n for n in want.keys() | got.keys() if want.get(n) != got.get(n))
		failed += ["(program)"] if "(program)" in got and "(program)" not in failed else []
		if not got: failed.append("(nothing printed)")
		open(out + "/failed", "w").write("".join(f + "\n" for f in failed))
		open(out + "/summary", "w").write(f"{len(got)} parts, {len(failed)} differ\n")
	PY
}

# cached NAME FILE... makes $dir, a folder of the cache for what is made of the files; it has to be filled when it has no file "ready".
cached() {
	dir=$cache/$1-$(cat "${@:2}" | cksum | cut -d' ' -f1)
	[ -e "$dir/ready" ] || { rm -rf "$dir" && mkdir -p "$dir" && say "preparing $1"; }
}

suite_jdbc() {
	local dir programs=testdata/suites/java
	cached jdbc "$programs"/*
	if [ ! -e "$dir/ready" ]; then
		mvn -q -B -f "$programs/pom.xml" dependency:copy-dependencies -DoutputDirectory="$dir"
		javac -cp "$dir/*" -d "$dir" "$programs"/*.java
		touch "$dir/ready"
	fi
	exercise jdbc java -cp "$dir:$dir/*" Exercise
}

node_modules() {
	cached node "$PWD/testdata/suites/node/package-lock.json"
	if [ ! -e "$dir/ready" ]; then
		cp testdata/suites/node/package*.json "$dir/"
		(cd "$dir" && npm ci --silent --no-audit --no-fund --ignore-scripts)
		touch "$dir/ready"
	fi
}

suite_node_pg() {
	local dir
	node_modules
	SUITES_NODE=$dir exercise node node testdata/suites/node/pg.mjs
}

suite_postgres_js() {
	local dir
	node_modules
	SUITES_NODE=$dir exercise node node testdata/suites/node/postgresjs.mjs
}

# Cancels by asyncpg's time-outs and libpq's PQcancel, beside connections that nobody cancels. pgx's are in its own tests.
suite_cancels() {
	sqlalchemy_source
	exercise cancels "$sqlalchemy/venv/bin/python" testdata/suites/python/cancels.py
}
