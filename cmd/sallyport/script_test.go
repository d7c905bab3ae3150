package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/pgtest"
)

// update makes the files that scripts compare with be what came instead.
var update = flag.Bool("update", false, "rewrite the expectations of testdata/script")

// TestMain makes the test binary be sallyport where a script runs sallyport,
// and the parser's worker where a gateway in this process starts one.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{parseWorker}) {
		main()
	}
	testscript.Main(withDatabase{m}, map[string]func(){"sallyport": main})
}

// withDatabase runs the tests, and stops the PostgreSQL they shared.
type withDatabase struct{ m *testing.M }

func (w withDatabase) Run() int { return pgtest.Main(w.m) }

// TestScripts runs the program itself, in processes of its own, against a real
// PostgreSQL and an HTTP upstream that remembers what it received. Each script
// of testdata/script has its own of both, and these commands beside testscript's:
//
//	gateway [NAME=VALUE...] FILE  start `sallyport serve --config FILE` and wait until it is ready. It is stopped by
//	                              SIGTERM when the script ends, and must exit 0 with no error and no secret in its log.
//	stop                          do that now
//	psql SQL...                   one psql session; each SQL is a message of its own
//	http [-H HEADER]... METHOD URL [BODY]   with $TOKEN, if set; 400 and above is a failure. A HEADER
//	                              is its line, or @FILE
//	received TEXT                 the upstreams have been sent TEXT
//	recorded REGEXP               a line of some recording matches: "ACTION RULE: MESSAGE | TEXT" or "outcome CODE ..."
//	logged REGEXP                 the gateway's log has or gets such a line; if it is an error, it was to be expected
//	exits CODE PROGRAM ARG...     it exits with that very code
//	garbage N                     open N connections that send what is no protocol, and keep them
//	swept                         end those, and wait until the gateway has forgotten them
//	certificates PREFIX           make new tls.crt, tls.key, client.crt and client.key; the names begin with PREFIX
//	presented FILE                the Postgres and the HTTP listener show, or come to show, FILE's certificate
//	token NAME ARG...             `sallyport token issue ARG...` into the variable NAME, and its id into NAME_ID
//
// Every secret there is contains the word "canary". It may not come back from
// psql or http, nor be in a log, a recording or the gateway's database.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                scripts,
		Setup:              setUpWorld,
		RequireUniqueNames: true,
		UpdateScripts:      *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gateway":  runGateway,
			"stop":     runStop,
			"logged":   runLogged,
			"psql":     runPsql,
			"http":     runHTTP,
			"received": runReceived,
			"recorded": runRecorded,
			"exits":    runExits,
			"token":    runToken,
			"garbage":  runGarbage,
			"swept":    runSwept,

			"certificates": runCertificates,
			"presented":    runPresented,
		},
	})
}

var scripts = filepath.Join("..", "..", "testdata", "script")
