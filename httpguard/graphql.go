package httpguard

import (
	"errors"
	"slices"
	"strings"

	"sallyport/policy"
)

// graphQL is the fact: the operations that a GraphQL request may run, each as
// "query Name" or "mutation Name", and each of their first fields as
// "query.field". Names are the caller's own choice; fields are the server's. A
// request that is none has none, and one that can't be read is an error.
func (x *exchange) graphQL(facts *policy.HTTP) policy.Fact[[]string] {
	return func() ([]string, error) {
		documents, must := x.graphQLDocuments(facts)
		if !strict(object(facts.Body), "query") || must && len(documents) == 0 && len(x.body) > 0 {
			return nil, missing("the GraphQL document can't be found in the request")
		}
		return graphQLFact(documents, must)()
	}
}

// graphQLFact lists what the documents may run. One that can't be read runs
// nothing, where it need not be GraphQL.
func graphQLFact(documents []string, must bool) policy.Fact[[]string] {
	return func() ([]string, error) {
		var all []string
		for _, d := range documents {
			names, err := graphQLOperations(d)
			if err != nil && must {
				return nil, missing("the GraphQL document can't be read")
			}
			if err == nil {
				all = append(all, names...)
			}
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	}
}

// graphQLDocuments are the texts of the request that are GraphQL's, or may be:
// where it must be GraphQL they are.
func (x *exchange) graphQLDocuments(facts *policy.HTTP) (documents []string, must bool) {
	path := strings.ToLower(strings.TrimRight(facts.Path, "/"))
	must = strings.HasSuffix(path, "/graphql") || strings.HasSuffix(path, "/gql")
	kind, _, _ := strings.Cut(strings.ToLower(x.in.Header.Get("Content-Type")), ";")
	if strings.TrimSpace(kind) == "application/graphql" {
		documents, must = append(documents, string(x.body)), true
	}
	documents = append(documents, facts.Query["query"]...)
	add := func(v any) {
		if text, ok := object(v)["query"].(string); ok {
			documents = append(documents, text)
		}
	}
	if list, ok := facts.Body.([]any); ok {
		for _, e := range list {
			add(e)
		}
	}
	add(facts.Body)
	return documents, must
}

// errGraphQL is a document that can't be read.
var errGraphQL = errors.New("not a GraphQL document")

// selection is what an operation or a fragment selects at its top.
type selection struct{ fields, spreads []string }

// graphQLOperations lists what a document may run: GraphQL specification,
// October 2021, section 2.
func graphQLOperations(document string) ([]string, error) {
	return (&graphQLReader{text: document}).operations()
}

func (p *graphQLReader) operations() ([]string, error) {
	p.next()
	type operation struct {
		kind string
		selection
	}
	var operations []operation
	var all []string
	fragments := map[string]selection{}
	for p.token != "" {
		kind, name := "query", ""
		switch p.token {
		case "query", "mutation", "subscription":
			kind = p.token
			p.next()
			if isGraphQLName(p.token) {
				name = p.token
				p.next()
			}
		case "fragment":
			p.next()
			kind, name = "fragment", p.token
			p.next()
		case "{":
		default:
			return nil, errGraphQL
		}
		p.until("{")
		s := p.selection(0)
		if p.bad {
			return nil, errGraphQL
		}
		if kind == "fragment" {
			fragments[name] = s
			continue
		}
		operations = append(operations, operation{kind, s})
		all = append(all, strings.TrimSpace(kind+" "+name))
	}
	if len(operations) == 0 {
		return nil, errGraphQL
	}
	for _, o := range operations {
		seen := map[string]bool{}
		todo := []selection{o.selection}
		for len(todo) > 0 {
			s := todo[0]
			todo = todo[1:]
			for _, f := range s.fields {
				all = append(all, o.kind+"."+f)
			}
			for _, name := range s.spreads {
				f, ok := fragments[name]
				if !ok {
					return nil, errGraphQL
				}
				if !seen[name] {
					seen[name] = true
					todo = append(todo, f)
				}
			}
		}
	}
	return all, nil
}

// graphQLReader reads the tokens of a document. token is "" at its end.
type graphQLReader struct {
	text  string
	at    int
	token string
	bad   bool

	renamed []string // fields that come back under another name
}

// maxSelections is how deep selections may nest.
const maxSelections = 200

// selection reads a selection set, whose brace is the token, and is behind it
// afterwards.
func (p *graphQLReader) selection(depth int) selection {
	var s selection
	if p.token != "{" || depth > maxSelections {
		p.bad = true
		return s
	}
	p.next()
	for p.token != "}" && !p.bad {
		switch {
		case p.token == "...":
			p.next()
			if isGraphQLName(p.token) && p.token != "on" {
				s.spreads = append(s.spreads, p.token)
				p.next()
				p.directives()
				continue
			}
			if p.token == "on" {
				p.next()
				p.next()
			}
			p.directives()
			inner := p.selection(depth + 1)
			s.fields, s.spreads = append(s.fields, inner.fields...), append(s.spreads, inner.spreads...)
		case isGraphQLName(p.token):
			name := p.token
			p.next()
			if p.token == ":" { // what came was an alias
				alias := name
				p.next()
				if name = p.token; name != alias {
					p.renamed = append(p.renamed, name)
				}
				p.next()
			}
			s.fields = append(s.fields, name)
			p.arguments()
			p.directives()
			if p.token == "{" {
				p.selection(depth + 1)
			}
		default:
			p.bad = true
		}
	}
	p.next()
	return s
}

// arguments goes behind what stands in parentheses, if they come next.
func (p *graphQLReader) arguments() {
	if p.token != "(" {
		return
	}
	for depth := 0; !p.bad; p.next() {
		switch p.token {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				p.next()
				return
			}
		case "":
			p.bad = true
		}
	}
}

func (p *graphQLReader) directives() {
	for p.token == "@" && !p.bad {
		p.next()
		p.next()
		p.arguments()
	}
}

// until goes on to a token outside of parentheses.
func (p *graphQLReader) until(token string) {
	for p.token != token && !p.bad {
		switch p.token {
		case "":
			p.bad = true
		case "(":
			p.arguments()
		default:
			p.next()
		}
	}
}

// next reads the next token: a name, a number, a string as a quote, or a mark.
func (p *graphQLReader) next() {
	p.token = ""
	for p.at < len(p.text) {
		c := p.text[p.at]
		rest := p.text[p.at:]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',':
			p.at++
			continue
		case strings.HasPrefix(rest, "\ufeff"):
			p.at += len("\ufeff")
			continue
		case c == '#':
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			p.at += end
			continue
		case c == '"':
			p.quoted(rest)
		case strings.HasPrefix(rest, "..."):
			p.token = "..."
			p.at += 3
		case isAlphanumeric(c) || c == '_':
			end := p.at
			for end < len(p.text) && (isAlphanumeric(p.text[end]) || p.text[end] == '_') {
				end++
			}
			p.token, p.at = p.text[p.at:end], end
		case strings.IndexByte("!$&()-.+:=@[]{|}", c) >= 0:
			p.token = string(rune(c))
			p.at++
		default:
			p.bad = true
			p.at = len(p.text)
		}
		return
	}
}

// quoted reads a string or a block string.
func (p *graphQLReader) quoted(rest string) {
	p.token = `"`
	if strings.HasPrefix(rest, `"""`) {
		for i := 3; i < len(rest); i++ {
			switch {
			case strings.HasPrefix(rest[i:], `\"""`):
				i += 3
			case strings.HasPrefix(rest[i:], `"""`):
				p.at += i + 3
				return
			}
		}
		p.bad = true
		return
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			p.at += i + 1
			return
		case '\n', '\r':
			p.bad = true
			return
		}
	}
	p.bad = true
}

func isGraphQLName(token string) bool {
	return token != "" && (token[0] == '_' || token[0]|0x20 >= 'a' && token[0]|0x20 <= 'z')
}
