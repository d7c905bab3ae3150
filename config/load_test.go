package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate and its key.
func certificate(t *testing.T, dir, certName, keyName string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, certName, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})))
	write(t, dir, keyName, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// base is a small valid file; the tests add to it. It has eleven lines.
const base = `[postgres.orders]
upstream = "db:5432"
credential = "file://db.json"
[http.openai]
upstream = "https://api.openai.com"
credential = "file://key"
inject = "Authorization: Bearer {secret}"
[[grant]]
who = ["group:agents"]
targets = ["orders"]

`

// folder has the files that base names, and some more.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "db.json", `{"username":"u","password":"p"}`)
	write(t, dir, "key", "k")
	certificate(t, dir, "tls.crt", "tls.key")
	certificate(t, dir, "other.crt", "other.key")
	return dir
}

func TestLoad(t *testing.T) {
	dir := folder(t)
	write(t, dir, "gateway.toml", base+`
[listen]
http = "0.0.0.0:8443"
console = "off"
[tls]
cert = "tls.crt"
key = "tls.key"
[store]
recordings = "file:///var/lib/rec"
`)
	c, err := Load(filepath.Join(dir, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Listen{Postgres: "127.0.0.1:6432", HTTP: "0.0.0.0:8443", Metrics: "127.0.0.1:9464"}); c.Listen != want {
		t.Errorf("listen: got %+v, want %+v", c.Listen, want)
	}
	if want := (Store{"sqlite:" + filepath.Join(dir, "sallyport.db"), "file:/var/lib/rec"}); c.Store != want {
		t.Errorf("store: got %+v, want %+v", c.Store, want)
	}
	if want := (TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}); c.TLS != want {
		t.Errorf("tls: got %+v, want %+v", c.TLS, want)
	}
	if got := c.Postgres["orders"]; got.SSLMode != "verify-full" || got.Credential != "file://db.json" || c.Dir != dir {
		t.Errorf("got %+v in %s", got, c.Dir)
	}
}

func TestLoadUnreadable(t *testing.T) {
	_, err := Load("no/such.toml")
	if want := "no/such.toml: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var all Errors
	if !errors.As(err, &all) || len(all) != 1 {
		t.Errorf("got %#v", err)
	}
}

// Each text is added to base, and so begins on line 12. What is expected is
// every line of the error, without the name of the file.
func TestLoadErrors(t *testing.T) {
	rule := func(lines string) string { return "[[rule]]\nname = \"r\"\ntargets = [\"orders\"]\n" + lines }
	pg := func(lines string) string {
		return "[postgres.x]\nupstream = \"db\"\ncredential = \"file://db.json\"\n" + lines
	}
	web := func(lines string) string {
		return "[http.x]\nupstream = \"http://h\"\ncredential = \"file://key\"\ninject = \"X-Key: {secret}\"\n" + lines
	}
	for name, c := range map[string]struct{ text, want string }{
		"fine":      {"", ""},
		"syntax":    {"[listen\n", "12: expected '.' or ']' to end table name, but got '\\n' instead"},
		"duplicate": {"[listen]\nhttp = \"off\"\nhttp = \"off\"\n", "14: Key 'listen.http' has already been defined."},

		"unknown table":       {"[listn]\n", `12: unknown key "listn"; did you mean "listen"?`},
		"unknown key":         {pg(`sslmod = "disable"`), `15: unknown key "sslmod" in [postgres.x]; did you mean "sslmode"?`},
		"unknown in array":    {"[[mask]]\ntargets = [\"orders\"]\ncolumns = [\"a.b\"]\nwhith = 3\n", `15: unknown key "whith" in [[mask]]; did you mean "with"?`},
		"dotted":              {"postgres.x.upstream = 3\n", "12: unknown key \"postgres\" in [[grant]]"},
		"wrong type":          {"[listen]\npostgres = 6432\nhttp = true\nconsole = 1.5\nmetrics = [\"a\"]\n", "13: listen.postgres must be a string, is an integer\n14: listen.http must be a string, is true or false\n15: listen.console must be a string, is a number with a fraction\n16: listen.metrics must be a string, is an array"},
		"entry of wrong type": {rule("then = \"deny\"\nif = \"true\"\n[[grant]]\nwho = [\n  \"group:a\",\n  3,\n]\ntargets = [\"orders\"]\n"), "20: each entry of grant.who must be a string, this one is an integer"},
		"string for array":    {"[[grant]]\nwho = \"group:a\"\ntargets = [\"orders\"]\n", "13: grant.who must be an array of strings, is a string"},
		"table for array":     {"[rule]\nname = \"r\"\n", "12: rule must be an array of tables, is a table"},
		"array for table":     {"[[listen]]\n", "12: listen must be a table, is an array of tables"},
		"table for string":    {"[store.database]\n", "12: store.database must be a string, is a table"},
		"string for target":   {"[http]\nx = \"y\"\n", "13: http.x must be a table, is a string"},

		"later tables":    {"[[issuer]]\nurl = \"x\"\n[[limit]]\n[[notify]]\n", "12: issuer is known, but not built yet in this version\n14: limit is known, but not built yet in this version\n15: notify is known, but not built yet in this version"},
		"doors":           {pg("unparsed = \"allow\"\nfunction_calls = \"yes\"\nreplication = \"allow\"\nidle_timeout = \"-1s\"\n") + "[[mask]]\ntargets = [\"x\"]\ncolumns = [\"users.password\"]\n", "15: postgres.x.unparsed = \"allow\" leads past the masks of this target\n16: postgres.x.function_calls must be \"deny\" or \"allow\", is \"yes\"\n17: postgres.x.replication = \"allow\" leads past the masks of this target\n18: postgres.x.idle_timeout must be a length of time such as \"90s\" or \"10m\", is \"-1s\""},
		"free settings":   {pg("parser_settings = \"free\"\n") + "[[rule]]\nname = \"r\"\ntargets = [\"x\"]\nif = \"sql.ddl\"\nthen = \"deny\"\n", "15: postgres.x.parser_settings = \"free\": rule \"r\" depends on what the parser reads"},
		"later keys":      {pg("record = \"results\"\n"), "15: postgres.x.record is known, but not built yet in this version"},
		"later http keys": {web("record = \"results\"\n"), "16: http.x.record is known, but not built yet in this version"},
		"later rule keys": {rule("if = \"true\"\nthen = \"ask\"\napprovers = []\nwait = \"1m\"\n"), "16: rule \"r\": then = \"ask\" is known, but not built yet in this version\n17: rule.approvers is known, but not built yet in this version\n18: rule.wait is known, but not built yet in this version"},
		"later stores":    {"[store]\ndatabase = \"postgres://h/d\"\nrecordings = \"s3://b\"\nrecipients = []\n", "13: store.database = \"postgres://h/d\" is known, but not built yet in this version\n14: store.recordings = \"s3://b\" is known, but not built yet in this version\n15: store.recipients is known, but not built yet in this version"},

		"listeners":         {"[listen]\npostgres = \"6432\"\nhttp = \"\"\nconsole = \"h:99999\"\nmetrics = \"h h:1\"\n", "13: listen.postgres must be host:port or \"off\", is \"6432\"\n14: listen.http must be host:port or \"off\", is \"\"\n15: listen.console must be host:port or \"off\", is \"h:99999\"\n16: listen.metrics must be host:port or \"off\", is \"h h:1\""},
		"off loopback":      {"[listen]\npostgres = \"0.0.0.0:6432\"\nhttp = \":8080\"\nconsole = \"localhost:1\"\nmetrics = \"[::1]:2\"\n", "13: listen.postgres = \"0.0.0.0:6432\" is not on loopback: [tls] is required\n14: listen.http = \":8080\" is not on loopback: [tls] is required"},
		"a name":            {"[listen]\npostgres = \"gateway:6432\"\n", "13: listen.postgres = \"gateway:6432\" is not on loopback: [tls] is required"},
		"same address":      {"[listen]\nhttp = \"127.0.0.1:6432\"\n", "13: listen.postgres and listen.http are both \"127.0.0.1:6432\""},
		"all off":           {"[listen]\npostgres = \"off\"\nhttp = \"off\"\nconsole = \"off\"\nmetrics = \"off\"\n", "12: every listener is off: nothing could be reached"},
		"half of tls":       {"[listen]\nhttp = \"0.0.0.0:1\"\n[tls]\ncert = \"tls.crt\"\n", "14: tls.key is required: the file of the certificate's key"},
		"tls, no file":      {"[tls]\ncert = \"no.crt\"\nkey = \"tls.key\"\n", "13: tls.cert: no.crt: no such file or directory"},
		"tls, no client_ca": {"[tls]\ncert = \"tls.crt\"\nkey = \"tls.key\"\nclient_ca = \"no.crt\"\n", "15: tls.client_ca: no.crt: no such file or directory"},
		"tls, other key":    {"[tls]\ncert = \"tls.crt\"\nkey = \"other.key\"\n", "13: tls.cert and tls.key: tls: private key does not match public key"},
		"store":             {"[store]\ndatabase = \"sallyport.db\"\nrecordings = \"file://host/x\"\n", "13: store.database must be \"sqlite:\" and a path, as in \"sqlite:sallyport.db\", is \"sallyport.db\"\n14: store.recordings = \"file://host/x\" names a host: write file:host/x for a path"},
		"token":             {"[[token]]\nsubject = \"\"\nsha256 = \"abc\"\nexpires = \"2027\"\n", "13: token: subject is missing\n14: token: sha256 must be the SHA-256 of the token in hex: 64 digits\n15: token.expires must be a date and time, is a string"},
		"token, no zone":    {"[[token]]\nsubject = \"a\"\nsha256 = \"" + strings.Repeat("ab", 32) + "\"\nexpires = 2027-01-01\n", "15: token.expires must say its time zone, as in 2027-01-01T00:00:00Z"},
		"same token":        {"[[token]]\nsubject = \"a\"\nsha256 = \"" + strings.Repeat("ab", 32) + "\"\n[[token]]\nsubject = \"b\"\nsha256 = \"" + strings.Repeat("AB", 32) + "\"\n", "17: token: an earlier token has the same sha256"},
		"vault":             {"[vault]\naddress = \"vault:8200\"\nauth = \"approle\"\nrole_id = \"x\"\n", "12: vault.secret_id_file: auth = \"approle\" needs secret_id_file\n13: vault.address: want an address as in https://vault:8200"},

		"postgres":         {"[postgres.x]\nsslmode = \"verify\"\n[postgres.y]\nupstream = \"a b\"\nsslmode = \"prefer\"\ncredential = \"vault://a\"\n", "12: postgres.x.upstream is required: host:port of the server\n12: postgres.x.credential is required: vault://PATH#FIELD, file://PATH#FIELD or env://NAME\n13: postgres.x.sslmode must be one of disable, require, verify-ca, verify-full, is \"verify\"; did you mean \"verify-ca\"?\n15: postgres.y.upstream must be host or host:port, is \"a b\"\n16: postgres.y.sslmode = \"prefer\" would fall back to plaintext in silence and is not offered: use require or verify-full, or disable\n17: postgres.y.credential is a vault:// reference: [vault] is required"},
		"sslrootcert":      {pg("sslrootcert = \"key\"\n") + "[postgres.y]\nupstream = \"db\"\ncredential = \"file://db.json\"\nsslmode = \"disable\"\nsslrootcert = \"tls.crt\"\n", "15: postgres.x.sslrootcert: key holds no certificate in PEM\n20: postgres.y.sslrootcert means nothing with sslmode = \"disable\""},
		"credentials":      {"[postgres.x]\nupstream = \"db\"\ncredential = \"file://db.json#password\"\n[postgres.y]\nupstream = \"db\"\ncredential = \"hunter2\"\n[postgres.z]\nupstream = \"db\"\ncredential = \"file://none\"\n[postgres.e]\nupstream = \"db\"\ncredential = \"env://SALLYPORT_TEST_UNSET\"\n", "14: postgres.x.credential: file://db.json#password: a database login takes the fields username and password: leave #password out\n17: postgres.y.credential: not a credential reference: want vault://PATH#FIELD, file://PATH#FIELD or env://NAME\n20: postgres.z.credential: none: no such file or directory\n23: postgres.e.credential: the environment variable SALLYPORT_TEST_UNSET is not set"},
		"names":            {"[postgres.openai]\nupstream = \"db\"\ncredential = \"file://db.json\"\n[postgres.\"a*\"]\nupstream = \"db\"\ncredential = \"file://db.json\"\n", "4: target \"openai\" is a [postgres.openai] as well: names must differ\n15: target \"a*\": a name is made of letters, digits, \".\", \"_\" and \"-\""},
		"http":             {"[http.x]\nupstream = \"api.example.com\"\nprovider = \"opena1\"\ncredential = \"file://key\"\ninject = \"Bearer {secret}\"\n[http.y]\nupstream = \"https://u:p@h\"\ncredential = \"file://key\"\ninject = \"X-Key: abc\"\n[http.z]\nupstream = \"https://h?x\"\ncredential = \"file://key\"\ninject = \"Host: {secret}\"\n", "13: http.x.upstream: \"api.example.com\": write http:// or https://\n14: http.x.provider: no provider \"opena1\"; there is openai, anthropic, azure, gemini, pinecone, mcp, or none; did you mean \"openai\"?\n16: http.x.inject: want \"Header: value {secret}\", \"query NAME={secret}\", \"body NAME={secret}\" or \"aws-sigv4 service=NAME [region=NAME]\"\n18: http.y.upstream: no user or password here: name a credential and inject it\n20: http.y.inject: the value must hold {secret} once\n22: http.z.upstream: \"https://h?x\": no query and no fragment here\n24: http.z.inject: the header Host is not an end-to-end header"},
		"http, vault":      {web("[http.y]\nupstream = \"http://h\"\ncredential = \"vault://a/b\"\ninject = \"X-Key: {secret}\"\n[http.z]\nupstream = \"http://h\"\ncredential = \"env://SALLYPORT_TEST_UNSET\"\ninject = \"X-Key: {secret}\"\n"), "18: http.y.credential: vault://a/b: which field? add #FIELD\n22: http.z.credential: the environment variable SALLYPORT_TEST_UNSET is not set"},
		"http, missing":    {"[http.x]\n", "12: http.x.upstream: an HTTP target needs the URL of its upstream"},
		"grant":            {"[[grant]]\nwho = [\n  \"group:a\",\n  \"agents\",\n]\ntargets = [\"order\"]\n[[grant]]\n", "15: grant: \"agents\" must begin with \"group:\", \"subject:\" or \"issuer:\"\n17: grant: target \"order\" does not exist; did you mean \"orders\"?\n18: grant: who is required: name at least one group, subject or issuer\n18: grant: targets is required: name at least one target, or \"*\" for all"},
		"rule":             {rule("if = \"sql.destructiv\"\nthen = \"deny\"\n[[rule]]\nthen = 3\n"), "15: rule \"r\": sql has no fact \"destructiv\"; did you mean \"destructive\"?\n17: rule: name is required: refusals and recordings show it\n17: rule: targets is required: name at least one target, or \"*\" for all\n17: rule: if is required: the condition of the rule\n18: rule.then must be a string, is an integer"},
		"grant, issuers":   {"[[grant]]\nwho = [\"issuer:gateway.toml\", \"issuer:sally*\", \"issuer:https://login\"]\ntargets = [\"*\"]\n", "13: grant: issuer \"https://login\" does not exist; there are gateway.toml, sallyport"},
		"rule, other kind": {"[[rule]]\nname = \"r\"\ntargets = [\"orders\", \"openai\"]\nif = \"sql.ddl\"\nthen = \"deny\"\n", "14: rule \"r\": target \"openai\" is HTTP, but the condition is about sql"},
		"mask":             {"[[mask]]\ntargets = [\"orders\", \"nope\"]\ncolumns = [\"password\", \"a..b\"]\nwith = \"blank\"\nfilter = \"no\"\n[[mask]]\ntargets = [\"orders\"]\n", "13: mask: target \"nope\" does not exist\n14: mask: \"password\" can't match: write table.column or schema.table.column, without quotes, as the server holds the names\n14: mask: \"a..b\" can't match: write table.column or schema.table.column, without quotes, as the server holds the names\n15: mask: no transform \"blank\"; there are email, last4, null, redact\n16: mask: \"no\" is none of equality, deny, allow\n17: mask: a mask needs columns (Postgres targets), or fields or detect (HTTP targets)"},
		"mask, other kind": {"[[mask]]\ntargets = [\"openai\"]\ncolumns = [\"users.password\"]\n[[mask]]\ntargets = [\"o*s\"]\nfields = [\"ssn\"]\n[[mask]]\ntargets = [\"*\"]\nfields = [\"ssn\"]\n", "13: mask: target \"openai\" is HTTP, but columns are masked in Postgres targets\n16: mask: none of the targets is HTTP, so its fields can't match"},
		"mask, detect":     {"[[mask]]\ntargets = [\"openai\"]\ndetect = [\"emial\"]\nin = \"requests\"\n[[mask]]\ntargets = [\"orders\"]\ncolumns = [\"a.b\"]\ndetect = [\"email\"]\n[[mask]]\ntargets = [\"orders\"]\ndetect = [\"email\"]\n", "14: mask: no detector \"emial\"; there are api-key, cloud-key, email, iban, ip, jwt, payment-card, phone, private-key, us-ssn; did you mean \"email\"?\n15: mask: \"requests\" is none of request, response, both\n21: mask: target \"orders\" is Postgres, but detected values are masked in HTTP targets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("gw.toml", folder(t), base+c.text, (*Config).check)
			got := ""
			if err != nil {
				got = strings.ReplaceAll("\n"+err.Error(), "\ngw.toml:", "\n")[1:]
			}
			if got != c.want {
				t.Errorf("\n got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestLoadNoTarget(t *testing.T) {
	_, err := parse("gw.toml", t.TempDir(), "", (*Config).check)
	if want := "gw.toml:1: there is no target: write at least one [postgres.NAME] or [http.NAME]"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestLoadStoreNeedsNoSecrets: a file whose credentials are out of reach still
// says where the state is; one that is not right does not.
func TestLoadStoreNeedsNoSecrets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gw.toml")
	text := "[store]\ndatabase = \"sqlite:state.db\"\n[postgres.x]\nupstream = \"db\"\ncredential = \"env://SALLYPORT_TEST_UNSET\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := LoadStore(file)
	if err != nil || s.Database != "sqlite:"+filepath.Join(dir, "state.db") {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := Load(file); err == nil {
		t.Fatal("Load let it pass")
	}
	if err := os.WriteFile(file, []byte(text+"pol = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadStore(file); err == nil {
		t.Fatal("an unknown key passed")
	}
}
