package sqlguard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestCopyOut: what COPY ... TO STDOUT writes is known by lineage alone.
func TestCopyOut(t *testing.T) {
	cat, g := testCatalog(t), New(protectedColumns, testParser(t))
	g.CopyRows = true
	for text, want := range map[string]string{
		"COPY users TO STDOUT":                       "text: id, name, email!users.email, password!users.password, api_key!users.api_key, is_admin, tags, data",
		"COPY public.users (password, id) TO STDOUT": "text: password!users.password, id",
		"COPY users (id) TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER ';', NULL 'x', FORCE_QUOTE (id))": "csv ; x header force=[id]: id",
		"COPY users (id) TO STDOUT CSV QUOTE AS '''' ESCAPE 'e' FORCE QUOTE *":                           "csv ' e all: id",
		"COPY (SELECT upper(password) AS u, id FROM users) TO STDOUT (FORMAT binary)":                    "binary: u~users.password, id",
		"COPY (SELECT * FROM accounts) TO STDOUT":                                                        "text: id..., iban...!accounts.iban+accounts.iban, closed...",
		"COPY accounts TO STDOUT":        "text: id..., iban...!accounts.iban+accounts.iban, closed...; 2: id, iban!accounts.iban; 3: id, iban!accounts.iban, closed",
		"COPY ledger TO STDOUT":          "text: id, amount!ledger.amount; 2: id, amount!ledger.amount",
		"COPY accounts (iban) TO STDOUT": "text: iban!accounts.iban+accounts.iban",
		"COPY members TO STDOUT":         "text: id, iban!members.iban",
		"COPY members (login) TO STDOUT": "text: login~members.iban",
		"COPY (UPDATE users SET name = 'x' WHERE id = 1 RETURNING password) TO STDOUT WITH ENCODING 'UTF8'": "text UTF8: password!users.password",
		"COPY (SELECT id FROM users ORDER BY password) TO STDOUT":                                           "refused",
		"COPY users TO STDOUT (FORMAT nothing)":                                                             "refused",
		"COPY users TO '/tmp/x'":                                                                            "refused",
		"COPY users TO PROGRAM 'cat'":                                                                       "refused",
		"COPY users (nope) TO STDOUT":                                                                       "refused",
	} {
		r, got := g.Read(text, cat), "refused"
		if r.Refusal == nil {
			got = copyText(r.Statements[0].Copy)
		}
		if got != want {
			t.Errorf("%s\n got %s %v\nwant %s", text, got, r.Refusal, want)
		}
	}
	if r := g.Read("COPY orders TO STDOUT", cat); r.Refusal != nil || r.Statements[0].Copy != nil {
		t.Errorf("a copy of nothing protected: %+v", r)
	}
}

func copyText(c *CopyOut) string {
	parts := []string{c.Format}
	for _, s := range []string{c.Delimiter, c.Null, c.Quote, c.Escape, c.Encoding} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if c.Header {
		parts = append(parts, "header")
	}
	if c.ForceQuote != nil {
		parts = append(parts, fmt.Sprintf("force=%v", c.ForceQuote))
	}
	if c.ForceAll {
		parts = append(parts, "all")
	}
	text := strings.Join(parts, " ") + ": " + outputsText(c.Columns)
	for _, width := range slices.Sorted(maps.Keys(c.ByWidth)) {
		text += fmt.Sprintf("; %d: %s", width, outputsText(c.Of(width)))
	}
	return text
}

func outputsText(outputs []Output) string {
	var outs []string
	for _, o := range outputs {
		outs = append(outs, outputText(o))
	}
	return strings.Join(outs, ", ")
}
