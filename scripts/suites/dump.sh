# shellcheck shell=bash
# pg_dump and pg_restore of the regression database, and psql's \copy. Part of scripts/pg-suites.sh.

# suite_dump dumps what the suite regress has left, restores it, and dumps that again. It wants regress before it.
suite_dump() {
	local format table
	: >"$out/failed"
	if ! psql -qXAtc "select 1 from pg_database where datname = 'regression'" postgres | grep -q 1; then
		echo "(there is no database regression: run the suite regress before)" | tee "$out/failed" >"$out/summary"
		return
	fi
	step_of_dump() { # NAME COMMAND...
		local name=$1
		shift
		"$@" >>"$out/log" 2>&1 || echo "$name" >>"$out/failed"
	}
	step_of_dump "pg_dump" pg_dump --restrict-key=suites -f "$out/regression.sql" regression
	step_of_dump "pg_dumpall --globals-only" pg_dumpall --restrict-key=suites --globals-only --no-role-passwords -l postgres -f "$out/globals.sql"
	# Without the table that MODE=pinned masks, which is in the restored database too.
	step_of_dump "pg_dump -Fc" pg_dump -Fc -N sallyport_masked -f "$out/regression.dump" regression
	step_of_dump "pg_dump -Fd -j 2" pg_dump -Fd -j 2 -N sallyport_masked -f "$out/regression.dir" regression
	# What direct dumps say, to the letter.
	for format in regression.sql globals.sql; do
		[ "$out" = "$keep/dump-direct" ] || cmp -s "$keep/dump-direct/$format" "$out/$format" || echo "$format differs from the direct one" >>"$out/failed"
	done
	for format in dump dir; do
		database restored
		# The regression database has objects that no restore takes; the errors are the same ones everywhere.
		if [ "$format" = dir ]; then
			pg_restore -d restored -j 2 "$out/regression.dir" 2>&1 | sort >"$out/restore-$format.log" || true
		else
			pg_restore -d restored "$out/regression.dump" >"$out/restore-$format.log" 2>&1 || true
		fi
		[ "$out" = "$keep/dump-direct" ] || cmp -s "$keep/dump-direct/restore-$format.log" "$out/restore-$format.log" || echo "pg_restore of $format says something else" >>"$out/failed"
		step_of_dump "pg_dump of the restored $format" pg_dump --restrict-key=suites -f "$out/restored-$format.sql" restored
		[ "$out" = "$keep/dump-direct" ] || cmp -s "$keep/dump-direct/restored-$format.sql" "$out/restored-$format.sql" || echo "the restored $format differs from the direct one" >>"$out/failed"
	done
	# \copy there and back in each format, and what came back.
	database copied
	for table in onek tenk1 bt_name_heap int8_tbl text_tbl date_tbl; do
		for format in text csv binary; do
			step_of_dump "\\copy $table $format" psql -qX -v ON_ERROR_STOP=1 -d regression -c "\\copy $table to '$out/$table.$format' (format $format)"
			step_of_dump "\\copy $table $format" psql -qX -v ON_ERROR_STOP=1 -d copied -c "drop table if exists $table"
			pg_dump --section=pre-data -t "$table" regression 2>>"$out/log" | psql -qX -d copied >>"$out/log" 2>&1 || true
			step_of_dump "\\copy $table $format" psql -qX -v ON_ERROR_STOP=1 -d copied -c "\\copy $table from '$out/$table.$format' (format $format)" -c "\\copy $table to '$out/$table.$format.back' (format $format)"
			cmp -s "$out/$table.$format" "$out/$table.$format.back" || echo "\\copy $table $format came back otherwise" >>"$out/failed"
			[ "$out" = "$keep/dump-direct" ] || cmp -s "$keep/dump-direct/$table.$format" "$out/$table.$format" || echo "\\copy $table $format differs from the direct one" >>"$out/failed"
		done
	done
	sort -u -o "$out/failed" "$out/failed"
	echo "$(wc -l <"$out/regression.sql") lines, $(wc -l <"$out/failed") failed" >"$out/summary"
}
