package difftest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLibpq18 takes psql through a gateway with the libpq of PostgreSQL 18,
// which is in the folder that SALLYPORT_LIBPQ18 names.
func TestLibpq18(t *testing.T) {
	folder := os.Getenv("SALLYPORT_LIBPQ18")
	if folder == "" {
		t.Skip("scripts/test-matrix.sh brings a libpq 18")
	}
	r := masked(t)
	host, port, _ := strings.Cut(r.address, ":")
	for name, settings := range map[string]string{
		"negotiated TLS":            "sslmode=require",
		"direct TLS":                "sslmode=require sslnegotiation=direct",
		"protocol 3.0":              "sslmode=require max_protocol_version=3.0",
		"protocol 3.2":              "sslmode=require min_protocol_version=3.2 max_protocol_version=3.2",
		"the latest protocol":       "sslmode=require max_protocol_version=latest",
		"direct TLS, protocol 3.2":  "sslmode=require sslnegotiation=direct min_protocol_version=3.2 max_protocol_version=3.2",
		"no GSS, preferred TLS":     "sslmode=prefer gssencmode=disable",
		"channel binding preferred": "sslmode=require channel_binding=prefer",
	} {
		t.Run(name, func(t *testing.T) {
			psql := exec.CommandContext(t.Context(), "psql", "-XAtq", "-v", "ON_ERROR_STOP=1",
				"host="+host+" port="+port+" dbname=it user=agent "+settings,
				"-c", "select 6 * 7", "-c", "copy (select 'copied') to stdout", "-c", "select count(*) from items")
			psql.Env = append(os.Environ(), "LD_LIBRARY_PATH="+folder, "PGPASSWORD="+token)
			var out, errOut bytes.Buffer
			psql.Stdout, psql.Stderr = &out, &errOut
			if err := psql.Run(); err != nil || out.String() != "42\ncopied\n20\n" {
				t.Errorf("%v: %s%s", err, out.String(), errOut.String())
			}
		})
	}
}
