#!/bin/bash
# psql's backslash commands. Where the database is, libpq's environment says.
set -eu
psql() { command psql -X -q "$@" 2>&1 || true; }
commands=(
	'\d' '\d+' '\dt' '\dt+' '\dt public.*' '\dt pg_catalog.*' '\dt information_schema.*' '\di' '\di+' '\dv' '\dv+' '\dm' '\dm+' '\ds' '\ds+' '\dE' '\dP' '\dP+' '\dPn'
	'\d customers' '\d+ customers' '\d orders' '\d+ orders' '\d events' '\d+ events' '\d+ events_2026' '\d+ open_orders' '\d+ totals'
	'\d customers_lower_name' '\d+ ticket' '\d unrelated' '\d nothing' '\d pg_class' '\d+ pg_authid'
	'\da' '\dA' '\dA+' '\dAc' '\dAf' '\db' '\db+' '\dc' '\dC' '\dconfig' '\dconfig+ work_mem' '\dd' '\ddp' '\dD' '\dD+' '\des' '\dew' '\det' '\deu'
	'\df' '\df+' '\dfn greet*' '\dF' '\dFd' '\dFp' '\dFt' '\dg pg_monitor' '\dl' '\dL' '\dL+' '\dn' '\dn+' '\dO pg_catalog.de*' '\do @>' '\dp' '\z' '\drds'
	'\dRp' '\dRs' '\dT' '\dT+' '\dT+ mood' '\du+ pg_monitor' '\dx' '\dx+' '\dX' '\dy'
	'\sf greeting' '\sf+ greeting' '\sv open_orders' '\sv+ open_orders' '\l+ template0' '\encoding' '\errverbose'
	'\h select' '\set VERBOSITY verbose \\ select 1/0' 'select name, password from customers order by id' '\x on \\ select * from customers order by id'
	'select 1 as a, id, password from customers \gdesc' "select 'select name from customers order by 1' \\gexec" 'select name, api_key from customers order by 1 limit 1 \gset \\ \echo :name :api_key'
	'select customer_id, status, total from orders order by 1, 2 \crosstabview customer_id status total' 'select * from customers order by id \g (format=csv)'
	'\copy (select id, name from customers order by id) to stdout' '\copy customers (id, name, password) to stdout csv header' 'table open_orders' 'select * from totals order by 1'
)
# All in one session; what a command sets is set back.
for command in "${commands[@]}"; do
	name=${command//\\/\\\\}
	printf "\\\\echo '## %s'\n%s\n%s\n" "${name//\'/\'\'}" "${command//\\\\/$'\n'}" '\x off \set VERBOSITY default'
done | psql

# \ef and \ev open an editor: one that prints what it is given.
for command in '\ef greeting' '\ev open_orders'; do
	echo "## $command"
	printf '%s\n' "$command" '\r' | PSQL_EDITOR=cat psql
done
echo "## list"
command psql -X -l -d "$PGDATABASE" >/dev/null && echo listed

# What the line editor asks for at a TAB.
echo "## tab"
psql -c "SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p') AND substring(pg_catalog.quote_ident(c.relname),1,4)='cust' AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog') UNION SELECT pg_catalog.quote_ident(n.nspname) || '.' FROM pg_catalog.pg_namespace n WHERE substring(pg_catalog.quote_ident(n.nspname) || '.',1,4)='cust' LIMIT 1000"
