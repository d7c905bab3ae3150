package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/policy"
	"sallyport/secret"
	"sallyport/store"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// open gives an empty table whose clock stands at *at.
func open(t *testing.T, at *time.Time) (*Issued, *store.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := store.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	i := NewIssued(s)
	i.now = func() time.Time { return *at }
	return i, s, path
}

func TestFixedTokens(t *testing.T) {
	id := New([]Token{
		{Subject: "worker-1", Groups: []string{"agents"}, SHA256: sum("one")},
		{Subject: "worker-2", SHA256: strings.ToUpper(sum("two")), Expires: noon},
		{Subject: "", SHA256: sum("three")},
	}, nil, func() time.Time { return noon })
	for token, want := range map[string]string{
		"one":                      "",
		"two":                      "the gateway token has expired",
		"three":                    "the gateway token is not valid",
		"One":                      "the gateway token is not valid",
		"one ":                     "the gateway token is not valid",
		"":                         "a gateway token is needed",
		"spt_" + sum("x"):          "the gateway token is mistyped or cut short",
		"tok_12345678":             "the gateway token is not valid",
		newOpaque().Reveal():       "the gateway token is not valid",
		newOpaque().Reveal()[:52]:  "the gateway token is mistyped or cut short",
		newOpaque().Reveal() + "x": "the gateway token is mistyped or cut short",
		strings.Repeat("x", 1<<20): "the gateway token is not valid",
		sum("one"):                 "the gateway token is not valid",
	} {
		p, err := id.Identify(context.Background(), secret.New(token))
		if want == "" {
			if err != nil || p.Subject != "worker-1" || p.Issuer != "gateway.toml" || !p.In("agents") || p.Token != sum("one")[:8] {
				t.Errorf("%q: %+v, %v", token, p, err)
			}
			continue
		}
		var r *policy.Refusal
		if !errors.As(err, &r) || r.Kind != policy.Unauthenticated || r.Public != want || p.Subject != "" {
			t.Errorf("%.60q: %+v, %v, want %s", token, p, err, want)
		}
	}
}

func TestAPrincipalIsTheCallersOwn(t *testing.T) {
	id := New([]Token{{Subject: "w", Groups: []string{"agents"}, SHA256: sum("one")}}, nil, time.Now)
	p, _ := id.Identify(context.Background(), secret.New("one"))
	p.Groups[0] = "admins"
	if p, _ := id.Identify(context.Background(), secret.New("one")); p.In("admins") {
		t.Fatal("one caller changed the next one's groups")
	}
}

func TestCheck(t *testing.T) {
	for want, token := range map[string]Token{
		"":                   {Subject: "w", Groups: []string{"a b"}, SHA256: sum("x")},
		"sha256 is missing":  {Subject: "w"},
		"64 digits":          {Subject: "w", SHA256: "abc"},
		"hex: 64":            {Subject: "w", SHA256: strings.Repeat("x", 64)},
		"empty token":        {Subject: "w", SHA256: sum("")},
		"without a token":    {Subject: "w", SHA256: sum("\n")},
		"subject is missing": {SHA256: sum("x")},
		"a group is empty":   {Subject: "w", Groups: []string{""}, SHA256: sum("x")},
		"cannot be printed":  {Subject: "w\n", SHA256: sum("x")},
	} {
		if err := token.Check(); (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", token, err, want)
		}
	}
}

func TestIssueIdentifyExpireRevoke(t *testing.T) {
	ctx, now := context.Background(), noon
	issued, _, _ := open(t, &now)
	id := New(nil, issued, func() time.Time { return now })

	one, info, err := issued.Issue(ctx, "worker-1", []string{"agents", "ci"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := issued.Issue(ctx, "worker-2", nil, 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p, err := id.Identify(ctx, one)
	if err != nil || p.Subject != "worker-1" || p.Issuer != "sallyport" || !p.In("ci") || p.Token != info.ID || !p.Expires.Equal(noon.Add(time.Hour)) {
		t.Fatalf("%+v, %v", p, err)
	}

	now = noon.Add(time.Hour)
	expect(t, id, one, "the gateway token has expired")
	expect(t, id, two, "")
	list, err := issued.List(ctx)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	states := map[string]string{}
	for _, i := range list {
		states[i.Subject] = i.State(now)
	}
	if states["worker-1"] != StateExpired || states["worker-2"] != StateActive {
		t.Errorf("states: %v", states)
	}

	p, _ = id.Identify(ctx, two)
	if err := issued.Revoke(ctx, p.Token); err != nil {
		t.Fatal(err)
	}
	expect(t, id, two, "the gateway token was revoked")
	now = now.Add(time.Minute)
	if err := issued.Revoke(ctx, p.Token); err != nil {
		t.Errorf("second revocation: %v", err)
	}
	list, _ = issued.List(ctx)
	for _, i := range list {
		if i.ID == p.Token && !i.Revoked.Equal(noon.Add(time.Hour)) {
			t.Errorf("revoked at %v", i.Revoked)
		}
	}
	if err := issued.Revoke(ctx, "tok_none"); !errors.Is(err, ErrNoToken) {
		t.Errorf("unknown id: %v", err)
	}
}

func expect(t *testing.T, id *Identifier, token secret.Text, want string) {
	t.Helper()
	_, err := id.Identify(context.Background(), token)
	if want == "" && err == nil {
		return
	}
	var r *policy.Refusal
	if !errors.As(err, &r) || r.Kind != policy.Unauthenticated || r.Public != want {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestIssueRefuses(t *testing.T) {
	now := noon
	issued, _, _ := open(t, &now)
	for name, c := range map[string]struct {
		subject string
		groups  []string
		ttl     time.Duration
	}{
		"no subject":   {"", nil, time.Hour},
		"empty group":  {"w", []string{""}, time.Hour},
		"control":      {"w\x1b[2J", nil, time.Hour},
		"no time":      {"w", nil, 0},
		"negative ttl": {"w", nil, -time.Hour},
	} {
		if token, _, err := issued.Issue(context.Background(), c.subject, c.groups, c.ttl); err == nil || !token.Empty() {
			t.Errorf("%s: issued", name)
		}
	}
}

// TestTheDatabaseHoldsNoToken looks for it in every byte on disk.
func TestTheDatabaseHoldsNoToken(t *testing.T) {
	now := noon
	issued, _, path := open(t, &now)
	token, _, err := issued.Issue(context.Background(), "w", nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(path + "*")
	var found bool
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hash := token.Sum256()
		found = found || bytes.Contains(text, hash[:])
		if bytes.Contains(text, []byte(token.Reveal()[4:20])) {
			t.Errorf("%s holds the token", file)
		}
	}
	if !found {
		t.Error("looked in the wrong files: no hash there")
	}
}

func TestABrokenStoreIsUnavailable(t *testing.T) {
	now := noon
	issued, s, _ := open(t, &now)
	id := New([]Token{{Subject: "w", SHA256: sum("one")}}, issued, time.Now)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var r *policy.Refusal
	if _, err := id.Identify(context.Background(), secret.New("x")); !errors.As(err, &r) || r.Kind != policy.Unavailable || r.Err == nil {
		t.Errorf("%v", err)
	}
	if _, err := id.Identify(context.Background(), secret.New("one")); err != nil {
		t.Errorf("a fixed token needs no database: %v", err)
	}
}

func TestOpaqueTokensHaveOneShape(t *testing.T) {
	shape := regexp.MustCompile(`^spt_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 200 {
		token := newOpaque()
		text := token.Reveal()
		if !shape.MatchString(text) || seen[text] || mistyped(token) {
			t.Fatalf("token %q", text)
		}
		seen[text] = true
		for i := len(prefix); i < len(text); i++ { // any one wrong character is noticed
			wrong := []byte(text)
			wrong[i] = alphabet[(strings.IndexByte(alphabet, wrong[i])+1)%len(alphabet)]
			if !mistyped(secret.New(string(wrong))) {
				t.Fatalf("%q passes for %q", wrong, text)
			}
		}
	}
	if id := newID(); !regexp.MustCompile(`^tok_[0-9A-Za-z]{11}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
}

// TestChecksumIsStable pins the format: tokens outlive releases.
func TestChecksumIsStable(t *testing.T) {
	body := prefix + strings.Repeat("0", 42) + "1"
	if got := checksum(body); got != "1e5uOq" {
		t.Errorf("checksum(%q) = %q", body, got)
	}
}
