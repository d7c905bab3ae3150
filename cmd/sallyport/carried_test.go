package main

import (
	"reflect"
	"testing"
)

// TestCarried: of a row that a trigger of the owner's copied, protected members
// are masked and the others are as they are.
func TestCarried(t *testing.T) {
	w := newMaskedWorld(t, masksData(t, "schema.sql"), masksData(t, "masks.toml"))
	conn := w.connect(t)
	if _, err := conn.Exec(t.Context(), "UPDATE users SET name = 'Zoe' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	var what, id, was, became, email string
	var word *string
	row := conn.QueryRow(t.Context(), `SELECT what, was ->> 'id', was ->> 'name', became ->> 'name', was ->> 'email', word FROM trail WHERE was ->> 'name' = 'Ben'`)
	if err := row.Scan(&what, &id, &was, &became, &email, &word); err != nil {
		t.Fatal(err)
	}
	got := []string{what, id, was, became, email, *word}
	if want := []string{"UPDATE", "1", "Ben", "Zoe", "[redacted]", "[redacted]"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var whole map[string]any
	if err := conn.QueryRow(t.Context(), "SELECT was FROM trail").Scan(&whole); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"id": 1.0, "name": "Ben", "active": true, "email": "[redacted]", "password": "[redacted]", "api_key": "[redacted]", "login": "[redacted]"} {
		if whole[name] != want {
			t.Errorf("%s: got %v, want %v", name, whole[name], want)
		}
	}
}
