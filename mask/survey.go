package mask

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// What `sallyport masks check` asks of masks and samples. Values go in, and
// names, paths and counts come out.

// Matches reports whether the pattern means the column.
func (p ColumnPattern) Matches(schema, table, column string) bool {
	return p.matches(schema, table, column)
}

// ColumnsOf are the patterns of a rule's columns; of * with detect none.
func (r Rule) ColumnsOf() map[string]ColumnPattern {
	all := map[string]ColumnPattern{}
	for _, s := range r.Columns {
		if p, err := parseColumn(s); err == nil {
			all[s] = p
		}
	}
	return all
}

// Finds reports whether a document has a member that one of the rule's fields names.
func (r Rule) Finds(field string, doc []byte) bool {
	one := r
	one.Fields = []string{field}
	_, n, err := (&Fields{list: one.fields()}).JSON(nil, doc)
	return err == nil && n > 0
}

// delicate are parts of names of what is seldom meant to be read. Each stands
// for itself or between the parts of a name.
var delicate = regexp.MustCompile(`(?i)(^|[_.-])(pass(wd|word|phrase|code)?|pwd|secrets?|tokens?|otp|mfa|totp|pin|cvv2?|cvc2?|ssn|ssns|sin|iban|bic|salt|seed|mnemonic|credentials?|` +
	`api_?keys?|private_?keys?|access_?keys?|secret_?keys?|auth|card(_?(no|num|number))?|credit_?cards?|pan|account_?(no|num|number)|social_security(_?(no|num|number))?|` +
	`tax_?(id|no|number)|national_?id|passport(_?(no|num|number))?|licen[cs]e_?(no|num|number)|e?mails?|e_mail|email_?address(es)?|phones?|phone_?(no|num|number)|mobile|fax|birth_?(date|day)|date_of_birth|dob|` +
	`salary|diagnosis|street|address(_?line.*)?|ip(_?address)?|hash(ed_password)?|password_hash|jwt|cookie|session_?(id|key|token)|refresh_?token)([_.-]|$)`)

// camel ends the words of a name such as userPassword.
var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// Delicate reports whether a name looks as if it named something sensitive.
func Delicate(name string) bool {
	return delicate.MatchString(camel.ReplaceAllString(name, "${1}_${2}"))
}

// plainMember is a name of a member that can be printed: a name, and no value
// that was made one.
var plainMember = regexp.MustCompile(`^[A-Za-z_][A-Za-z_-]{0,40}$`)

const (
	maxPathDepth = 12
	maxMembers   = 5000 // looked at in one document
)

// DelicatePaths are the paths of a document's members whose names look
// sensitive, as fields are written.
func DelicatePaths(doc []byte) []string {
	var value any
	if json.Unmarshal(doc, &value) != nil {
		return nil
	}
	var found []string
	looked := 0
	var walk func(v any, path []string)
	walk = func(v any, path []string) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				if looked++; looked > maxMembers || len(path) >= maxPathDepth || !plainMember.MatchString(name) {
					continue
				}
				at := append(slices.Clip(path), name)
				if _, container := member.(map[string]any); !container && member != nil && Delicate(name) {
					found = append(found, "$."+strings.Join(at, "."))
				}
				walk(member, at)
			}
		case []any:
			for _, element := range v {
				walk(element, path)
			}
		}
	}
	walk(value, nil)
	slices.Sort(found)
	return slices.Compact(found)
}

// Kinds are the names of the detectors that find something in a text, or in the
// strings of a document.
func (d *Detectors) Kinds(text []byte, column string) []string {
	var names []string
	look := func(text []byte, context string) {
		if d == nil || len(text) == 0 {
			return
		}
		s := d.whole(text, d.useful(context), 0)
		defer d.release(s)
		for _, f := range s.found {
			if !slices.Contains(names, d.names[f.by]) {
				names = append(names, d.names[f.by])
			}
		}
	}
	var value any
	if !startsDocument(text) || json.Unmarshal(text, &value) != nil {
		look(text, column)
		return names
	}
	var walk func(v any, name string)
	walk = func(v any, name string) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				walk(member, name)
			}
		case []any:
			for _, element := range v {
				walk(element, name)
			}
		case string:
			look([]byte(v), name)
		}
	}
	walk(value, column)
	return names
}
