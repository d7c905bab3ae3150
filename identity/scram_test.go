package identity

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"sallyport/policy"
	"sallyport/secret"
	"sallyport/store"
)

// prove is what a client that knows a password sends for a message.
// RFC 5802, section 3.
func prove(t *testing.T, password string, s *Scram, message string) []byte {
	t.Helper()
	salted, err := pbkdf2.Key(sha256.New, password, s.Salt(), s.Iterations(), sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	subtle.XORBytes(key, key, mac(stored[:], message))
	return key
}

// TestVerifierVector: RFC 7677, section 3.
func TestVerifierVector(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	v, err := deriveVerifier(secret.New("pencil"), salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	proof, _ := base64.StdEncoding.DecodeString("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
	message := "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	signature, proven := v.check(message, proof)
	if !proven || base64.StdEncoding.EncodeToString(signature) != "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Fatalf("%t, %x", proven, signature)
	}
	for name, wrong := range map[string][]byte{"none": nil, "short": proof[:31], "long": append(proof[:32:32], 0), "zero": make([]byte, 32)} {
		if _, proven := v.check(message, wrong); proven {
			t.Errorf("%s is taken for a proof", name)
		}
	}
	if _, proven := v.check(message+"x", proof); proven {
		t.Error("a proof for another message is taken")
	}
	same, err := parseVerifier(v.String())
	if err != nil || same.String() != v.String() || same.stored != v.stored || same.server != v.server || !bytes.Equal(same.salt, salt) {
		t.Errorf("%v, %v", same, err)
	}
}

func TestParseVerifierRefuses(t *testing.T) {
	for _, s := range []string{
		"", "md5abc", "SCRAM-SHA-256$4096:AAAA", "SCRAM-SHA-1$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$0:AAAA$AAAA:AAAA",
		"SCRAM-SHA-256$4096:$AAAA:AAAA", "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$x:AAAA$AAAA:AAAA", "SCRAM-SHA-256$1:!$A:B",
	} {
		if _, err := parseVerifier(s); err == nil {
			t.Errorf("%q passes", s)
		}
	}
}

func TestScramLogin(t *testing.T) {
	ctx, now := context.Background(), noon
	issued, _, _ := open(t, &now)
	id := New(nil, issued, func() time.Time { return now })
	token, info, err := issued.Issue(ctx, "worker-1", []string{"agents"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := issued.Issue(ctx, "worker-2", nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name, password, want string) policy.Principal {
		t.Helper()
		s, err := id.Scram(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Salt()) != scramSalt || s.Iterations() != scramIterations {
			t.Errorf("%s: salt of %d bytes, %d iterations", name, len(s.Salt()), s.Iterations())
		}
		signature, who, err := s.Prove("message", prove(t, password, s, "message"))
		if want == "" {
			if err != nil || !hmac.Equal(signature, mac(s.server[:], "message")) {
				t.Errorf("%s: %v", name, err)
			}
			return who
		}
		var r *policy.Refusal
		if !errors.As(err, &r) || r.Kind != policy.Unauthenticated || r.Public != want || who.Subject != "" || signature != nil && want == "the gateway token is not valid" {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		return who
	}
	if who := try(info.ID, token.Reveal(), ""); who.Subject != "worker-1" || !who.In("agents") || who.Token != info.ID || who.Issuer != IssuerIssued || !who.Expires.Equal(info.Expires) {
		t.Errorf("%+v", who)
	}
	const wrong = "the gateway token is not valid"
	try(info.ID, other.Reveal(), wrong)
	try("tok_00000000000", token.Reveal(), wrong)
	try("tok_00000000000", "", wrong)

	now = noon.Add(time.Hour)
	try(info.ID, token.Reveal(), "the gateway token has expired")
	try(info.ID, other.Reveal(), wrong)
	if err := issued.Revoke(ctx, info.ID); err != nil {
		t.Fatal(err)
	}
	try(info.ID, token.Reveal(), "the gateway token was revoked")
	try(info.ID, other.Reveal(), wrong)
}

// TestMockSaltsStay: an id that names no token has one salt, at every login and
// every gateway of a database, as one that does has.
func TestMockSaltsStay(t *testing.T) {
	ctx, now := context.Background(), noon
	issued, s, _ := open(t, &now)
	salt := func(i *Identifier, name string) string {
		t.Helper()
		s, err := i.Scram(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if s.known {
			t.Errorf("%s is known", name)
		}
		return string(s.Salt())
	}
	one, two := New(nil, issued, time.Now), New(nil, NewIssued(s), time.Now)
	a := salt(one, "tok_a")
	if salt(one, "tok_a") != a || salt(two, "tok_a") != a {
		t.Error("the salt changes")
	}
	if salt(one, "tok_b") == a {
		t.Error("two names have one salt")
	}
	alone := New(nil, nil, time.Now)
	if b := salt(alone, "tok_a"); b == a || salt(alone, "tok_a") != b {
		t.Error("without a database: the salt is the database's, or changes")
	}
}

// TestATokenFromBeforeScram proves nothing, in the same words.
func TestATokenFromBeforeScram(t *testing.T) {
	ctx, now := context.Background(), noon
	issued, s, _ := open(t, &now)
	token, info, err := issued.Issue(ctx, "w", nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB().Exec(`UPDATE token SET scram = NULL`); err != nil {
		t.Fatal(err)
	}
	id := New(nil, issued, func() time.Time { return now })
	login, err := id.Scram(ctx, info.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := login.Prove("m", prove(t, token.Reveal(), login, "m")); err == nil || err.Error() != "the gateway token is not valid" {
		t.Errorf("%v", err)
	}
	expect(t, id, token, "")

	if _, err := s.DB().Exec(`UPDATE token SET scram = 'md5'`); err != nil {
		t.Fatal(err)
	}
	var r *policy.Refusal
	if _, err := id.Scram(ctx, info.ID); !errors.As(err, &r) || r.Kind != policy.Unavailable {
		t.Errorf("a broken verifier: %v", err)
	}
}

func TestScramWithoutADatabaseIsUnavailable(t *testing.T) {
	now := noon
	issued, s, _ := open(t, &now)
	id := New(nil, issued, time.Now)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var r *policy.Refusal
	if _, err := id.Scram(context.Background(), "tok_a"); !errors.As(err, &r) || r.Kind != policy.Unavailable || r.Err == nil {
		t.Errorf("%v", err)
	}
}

func TestIsTokenID(t *testing.T) {
	for name, want := range map[string]bool{
		newID(): true, "tok_00000000000": true, "tok_": false, "tok_0000000000": false, "tok_000000000000": false,
		"tok_0000000000-": false, "agent": false, "": false, "TOK_00000000000": false,
	} {
		if IsTokenID(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

// TestAnOlderDatabaseGetsScram: tokens of before the migration stay.
func TestAnOlderDatabaseGetsScram(t *testing.T) {
	now := noon
	_, s, path := open(t, &now)
	for _, sql := range []string{`DROP TABLE scram_mock`, `ALTER TABLE token DROP COLUMN scram`, `DELETE FROM schema_version WHERE name LIKE '%_token_scram'`} {
		if _, err := s.DB().Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	hash := sha256.Sum256([]byte("one"))
	if _, err := s.DB().Exec(`INSERT INTO token (hash, id, subject, groups, created, expires) VALUES (?, 'tok_1', 'w', '[]', 0, ?)`, hash[:], noon.Add(time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	expect(t, New(nil, NewIssued(again), func() time.Time { return now }), secret.New("one"), "")
}
