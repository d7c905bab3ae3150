package recorder

import (
	"fmt"
	"strings"
	"time"
)

// String is the parameter as a SQL literal.
func (p Param) String() string {
	switch {
	case p.Text != nil:
		return "'" + strings.ReplaceAll(*p.Text, "'", "''") + "'"
	case p.Binary != nil:
		return `'\x` + *p.Binary + "'"
	}
	return "NULL"
}

// String is the outcome in a line, without its body: "SELECT 3 · 3 rows · 1.2ms".
func (o Outcome) String() string {
	var parts []string
	for _, s := range []string{o.Tag, o.Code} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	for _, n := range []struct {
		count     int64
		one, many string
	}{{o.Rows, "row", "rows"}, {o.Bytes, "byte", "bytes"}, {o.Masked, "masked", "masked"}} {
		switch n.count {
		case 0:
		case 1:
			parts = append(parts, "1 "+n.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.many))
		}
	}
	if o.Duration > 0 {
		parts = append(parts, o.Duration.Round(10*time.Microsecond).String())
	}
	if o.Error != "" {
		parts = append(parts, o.Error)
	}
	if len(parts) == 0 {
		return "done"
	}
	return strings.Join(parts, " · ")
}

// Address is the exchange's method, host, path and query in a line.
func (x Exchange) Address() string {
	text := x.Method + " " + x.Host + x.Path
	if x.Query != "" {
		text += "?" + x.Query
	}
	return text
}
