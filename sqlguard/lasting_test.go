package sqlguard

import "testing"

func TestResettable(t *testing.T) {
	g := New(nil, NewParser(nil))
	for text, want := range map[string]bool{
		"select 1": true,
		"begin; insert into t values (now()); commit": true,
		"set search_path = a; set timezone = 'UTC'":   true,
		"set role admin": true,
		"prepare p as select count(*) from t; execute p": true,
		"create temp table x (id int); listen c":         true,
		"select set_config('search_path', 'a', false)":   true,
		"select pg_advisory_lock(1), nextval('s')":       true,
		"discard all":          true,
		"set app.tenant = '7'": false,
		"reset app.tenant":     false,
		"select set_config('app.tenant', '7', false)":          false,
		"select set_config(name, '7', false) from pg_settings": false,
		"set seed = 0.5":                                  false,
		"select setseed(0.5)":                             false,
		"load 'auto_explain'":                             false,
		"do $$ begin perform 1; end $$":                   false,
		"call p()":                                        false,
		"select my_own()":                                 false,
		"select dblink_connect('c', 'host=x')":            false,
		"create extension plperl":                         false,
		"select pg_replication_origin_session_setup('x')": false,
		"select 1; load 'x'":                              false,
		"load 'x'; select 1":                              false,
		"selec 1":                                         false,
	} {
		if got := g.Read(text, nil).Resettable; got != want {
			t.Errorf("%s: resettable %t", text, got)
		}
	}
}
