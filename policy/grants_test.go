package policy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestGrants(t *testing.T) {
	grants := NewGrants([]GrantConfig{
		{Who: []string{"group:agents", "subject:ci"}, Targets: []string{"orders", "open*"}},
		{Who: []string{"issuer:https://*.example.com"}, Targets: []string{"*"}},
		{Who: []string{"subject:dev-*"}, Targets: []string{"files"}},
	})
	agent := Principal{Subject: "worker-1", Groups: []string{"x", "agents"}}
	for name, c := range map[string]struct {
		who    Principal
		target string
		want   bool
	}{
		"group":              {agent, "orders", true},
		"target pattern":     {agent, "openai", true},
		"other target":       {agent, "files", false},
		"longer name":        {agent, "orders-eu", false},
		"subject":            {Principal{Subject: "ci"}, "orders", true},
		"subject as group":   {Principal{Groups: []string{"ci"}}, "orders", false},
		"group as subject":   {Principal{Subject: "agents"}, "orders", false},
		"issuer":             {Principal{Issuer: "https://a.example.com"}, "files", true},
		"issuer anchored":    {Principal{Issuer: "https://a.example.com.evil"}, "files", false},
		"subject pattern":    {Principal{Subject: "dev-1"}, "files", true},
		"nobody":             {Principal{}, "orders", false},
		"case is a distance": {Principal{Groups: []string{"Agents"}}, "orders", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := grants.Allows(c.who, c.target); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if NewGrants(nil).Allows(agent, "orders") {
		t.Error("no grants, and yet access")
	}
}

func TestGrantCheck(t *testing.T) {
	g := GrantConfig{Who: []string{"group:agents", "agents", "group:", "team:x", "subject: x"}, Targets: []string{"orders", "oders", "z*"}}
	var got []string
	for _, err := range g.Check(someTargets) {
		got = append(got, err.Key+": "+err.Error())
	}
	want := []string{
		`who[1]: "agents" must begin with "group:", "subject:" or "issuer:"`,
		`who[2]: "group:" names nobody`,
		`who[3]: "team:x" must begin with "group:", "subject:" or "issuer:"`,
		`who[4]: "subject: x" has a space at the beginning or end of the name`,
		`targets[1]: target "oders" does not exist; did you mean "orders"?`,
		`targets[2]: "z*" matches no target`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if errs := (GrantConfig{}).Check(someTargets); len(errs) != 2 {
		t.Errorf("got %v", errs)
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"upstream", "database", "credential"}
	for name, want := range map[string]string{
		"upstrem": `; did you mean "upstream"?`, "databse": `; did you mean "database"?`, "zzz": "", "": "", "upstreams": `; did you mean "upstream"?`,
	} {
		if got := DidYouMean(name, names); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Match is the anchored regular expression in which * is any run.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{"*", "", "a*b", "a**b*", "*a*", "users.*"} {
		f.Add(s, "ab")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		re, err := regexp.Compile(`(?s)\A` + strings.Join(parts, `(?:.|\xff)*`) + `\z`)
		if err != nil || strings.ToValidUTF8(pattern+name, "") != pattern+name {
			t.Skip("not a pattern that regexp can say")
		}
		if got, want := Match(pattern, name), re.MatchString(name); got != want {
			t.Errorf("Match(%q, %q) = %v, the expression says %v", pattern, name, got, want)
		}
	})
}
