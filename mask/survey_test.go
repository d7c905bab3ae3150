package mask

import (
	"slices"
	"strings"
	"testing"
)

func TestDelicate(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "user_password": true, "userPassword": true, "passwd": true, "api_key": true, "apikey": true, "stripeApiKey": true, "ssn": true, "email": true,
		"contact_email": true, "card_number": true, "iban": true, "phone_number": true, "refresh_token": true, "dob": true,
		"id": false, "name": false, "key": false, "passenger": false, "total": false, "tokenizer": false, "emailed": false, "compass": false, "pinned": false, "created_at": false,
	} {
		if got := Delicate(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSurveyDocuments(t *testing.T) {
	doc := []byte(`{"user": {"password": "x", "email": null, "tags": ["a"]}, "list": [{"apiKey": 1}], "bob@example.com": {"secret": 1}, "note": "to bob@example.com"}`)
	if got := strings.Join(DelicatePaths(doc), " "); got != "$.list.apiKey $.user.password" {
		t.Errorf("got %s", got)
	}
	if DelicatePaths([]byte(`{"password":`)) != nil {
		t.Error("paths of what is no document")
	}
	d, err := NewDetectors(Detection{DetectorNames(), transforms["redact"]})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{string(doc): {"email"}, "bob@example.com 4111 1111 1111 1111 bob@example.com": {"email", "payment-card"}, "nothing": nil, "": nil} {
		if got := d.Kinds([]byte(text), "body"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	if got := d.Kinds([]byte("078051121"), "ssn"); !slices.Equal(got, []string{"us-ssn"}) {
		t.Errorf("a number in a column called ssn: %v", got)
	}
	rule := Rule{Columns: []string{"a.b", "*"}, Fields: []string{"user.password", "gone"}}
	if !rule.Finds("user.password", doc) || rule.Finds("gone", doc) || len(rule.ColumnsOf()) != 1 {
		t.Error("fields or columns of a rule are not as they are written")
	}
}
