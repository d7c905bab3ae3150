package wire

import (
	"encoding/binary"
	"strings"
)

// withheld replaces a message that may quote a protected value.
const withheld = "the database's message is withheld: it may quote a protected value"

// plainClasses are the SQLSTATE classes whose messages never quote a row:
// connection, integrity (constraint and table names), transaction state,
// rollback, resources, operator intervention, system.
var plainClasses = map[string]bool{
	"08": true, "23": true, "25": true, "40": true, "53": true, "57": true, "58": true,
}

// namingClasses are those whose messages mostly quote names: statement and
// cursor names, syntax and access.
var namingClasses = map[string]bool{"26": true, "34": true, "42": true}

// scrub removes what can quote a value from a report about a statement that
// reaches protected columns. SQLSTATE, position, and the names of schema,
// table, column, type and constraint stay. A message stays where all it quotes
// stands in the statement's own text: a syntax error, a name that doesn't exist.
func (r report) scrub(text string) report {
	code := r.get('C')
	out := report{fields: make([]field, 0, len(r.fields))}
	for _, f := range r.fields {
		switch f.kind {
		case 'S', 'V', 'C', 'P', 's', 't', 'c', 'd', 'n', 'F', 'L', 'R':
		case 'M':
			plain := len(code) == 5 && (plainClasses[code[:2]] || namingClasses[code[:2]] && quotesOnly(f.text, text))
			if !plain {
				f.text = withheld
			}
		default: // detail, hint, where, internal query and position, what is yet unknown
			continue
		}
		out.fields = append(out.fields, f)
	}
	return out
}

// quotesOnly reports whether each "quoted" part of a message, and each word of
// it with a digit, stands in the text: the client wrote it itself. Without an
// even number of quotes nobody can tell.
func quotesOnly(message, text string) bool {
	lower := strings.ToLower(text)
	parts := strings.Split(message, `"`)
	if len(parts)%2 == 0 {
		return false
	}
	for i, part := range parts {
		if i%2 == 1 {
			if !strings.Contains(lower, strings.ToLower(part)) {
				return false
			}
			continue
		}
		for _, word := range strings.Fields(part) {
			if strings.ContainsAny(word, "0123456789'@=") && !strings.Contains(lower, strings.ToLower(strings.Trim(word, ".,:;()"))) {
				return false
			}
		}
	}
	return true
}

// scan masks what detectors find in the texts of a report.
func (r report) scan(look func(dst, text []byte) []byte) report {
	out := report{fields: make([]field, 0, len(r.fields))}
	for _, f := range r.fields {
		switch f.kind {
		case 'S', 'V', 'C', 'P', 'p', 'F', 'L', 'R':
		default:
			f.text = string(look(nil, []byte(f.text)))
		}
		out.fields = append(out.fields, f)
	}
	return out
}

// notification carries what another session sent by NOTIFY.
func (s *Session) notification(size int) error {
	if s.blank.Scan == nil {
		return s.up.in.pass(s.out, 'A', size)
	}
	body, err := s.up.in.hold(size)
	if err != nil {
		return err
	}
	p := parts{b: body}
	id, channel, payload := p.int32(), p.text(), p.text()
	if !p.done() {
		return malformed("the server sent a malformed NotificationResponse")
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(id))
	out = append(append(out, channel...), 0)
	return writeMessage(s.out, 'A', append(s.blank.Scan(out, payload), 0))
}
