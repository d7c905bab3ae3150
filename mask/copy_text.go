package mask

import "bytes"

// textRows masks rows in the text format: values between delimiters, a
// backslash before what would be mistaken, a newline at the end.
// PostgreSQL 17, src/backend/commands/copyto.c, CopyAttributeOutText.
func (c *Copy) textRows(dst, data []byte) ([]byte, int, error) {
	masked := 0
	for len(data) > 0 {
		header, column := c.header, 0
		c.header = false
		for more := true; more; column++ {
			end, ended := textEnd(data, c.options.Delimiter)
			if !ended {
				return dst, 0, errCopyRow // half a row
			}
			value := data[:end]
			if more = data[end] != '\n'; !more && column == 0 && len(c.plan) == 0 && end == 0 {
				column = -1 // a row without columns
			} else if column >= len(c.plan) {
				return dst, 0, errCopyWidth
			} else if header || c.plan[column] == nil || c.isNull(value) {
				dst = append(dst, value...)
			} else {
				c.plain = unescape(c.plain[:0], value)
				switch out, null := c.apply(column, c.plain); {
				case !null && c.left(column, out, c.plain):
					dst = append(dst, value...)
				case null:
					masked++
					dst = append(dst, c.options.Null...)
				default:
					masked++
					dst = appendCopyText(dst, out, c.options.Delimiter)
				}
			}
			dst = append(dst, data[end])
			data = data[end+1:]
		}
		if column != len(c.plan) {
			return dst, 0, errCopyWidth
		}
	}
	return dst, masked, nil
}

// isNull reports whether an encoded value is NULL and nothing else. A statement
// may choose a mark that a value can look like: then that is masked like any
// value, or the mark would tell which rows hold what it says. An empty mark
// hides nothing that is not empty.
func (c *Copy) isNull(value []byte) bool {
	return c.certain && string(value) == c.options.Null
}

// textEnd finds the delimiter or newline that ends the first value.
func textEnd(data []byte, delimiter byte) (end int, ok bool) {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case delimiter, '\n':
			return i, true
		}
	}
	return 0, false
}

// Letters that stand for control characters, and these, in the same order.
const (
	escapeLetters = "bfnrtv"
	escapeBytes   = "\b\f\n\r\t\v"
)

// unescape appends what was written with backslashes. Those PostgreSQL writes
// are read, and no others: it never sends octal or hexadecimal digits.
func unescape(dst, value []byte) []byte {
	for i := 0; i < len(value); i++ {
		b := value[i]
		if b == '\\' && i+1 < len(value) {
			i++
			b = value[i]
			if at := bytes.IndexByte([]byte(escapeLetters), b); at >= 0 {
				b = escapeBytes[at]
			}
		}
		dst = append(dst, b)
	}
	return dst
}

// appendCopyText writes a value as PostgreSQL would.
func appendCopyText(dst, value []byte, delimiter byte) []byte {
	for _, b := range value {
		switch at := bytes.IndexByte([]byte(escapeBytes), b); {
		case at >= 0:
			dst = append(dst, '\\', escapeLetters[at])
		case b == '\\' || b == delimiter:
			dst = append(dst, '\\', b)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// csvRows masks rows in CSV: values between delimiters, in quotes where they
// would be mistaken, a newline at the end that is not in quotes.
// PostgreSQL 17, src/backend/commands/copyto.c, CopyAttributeOutCSV.
func (c *Copy) csvRows(dst, data []byte) ([]byte, int, error) {
	masked := 0
	for len(data) > 0 {
		header, column := c.header, 0
		c.header = false
		for more := true; more; column++ {
			end, quoted, ok := c.csvEnd(data)
			if !ok {
				return dst, 0, errCopyRow
			}
			value := data[:end]
			if more = data[end] != '\n'; !more && column == 0 && len(c.plan) == 0 && end == 0 {
				column = -1 // a row without columns
			} else if column >= len(c.plan) {
				return dst, 0, errCopyWidth
			} else if header || c.plan[column] == nil || !quoted && string(value) == c.options.Null {
				dst = append(dst, value...) // a value that looks like NULL is quoted
			} else {
				plain := value
				if quoted {
					c.plain = c.unquote(c.plain[:0], value)
					plain = c.plain
				}
				switch out, null := c.apply(column, plain); {
				case !null && c.left(column, out, plain):
					dst = append(dst, value...)
				case null:
					masked++
					dst = append(dst, c.options.Null...)
				default:
					masked++
					dst = c.appendCSV(dst, column, out)
				}
			}
			dst = append(dst, data[end])
			data = data[end+1:]
		}
		if column != len(c.plan) {
			return dst, 0, errCopyWidth
		}
	}
	return dst, masked, nil
}

// csvEnd finds the delimiter or newline that ends the first value, and reports
// whether that is in quotes.
func (c *Copy) csvEnd(data []byte) (end int, quoted, ok bool) {
	o := &c.options
	i := 0
	if len(data) > 0 && data[0] == o.Quote {
		for quoted, i = true, 1; i < len(data); i++ {
			switch b := data[i]; {
			case b == o.Escape && i+1 < len(data) && (data[i+1] == o.Quote || data[i+1] == o.Escape):
				i++
				continue
			case b != o.Quote:
				continue
			}
			i++
			if i < len(data) && (data[i] == o.Delimiter || data[i] == '\n') {
				return i, true, true
			}
			return 0, true, false
		}
		return 0, true, false
	}
	for ; i < len(data); i++ {
		switch data[i] {
		case o.Delimiter, '\n':
			return i, false, true
		case o.Quote:
			return 0, false, false // PostgreSQL writes none here
		}
	}
	return 0, false, false
}

// unquote appends a value that is in quotes.
func (c *Copy) unquote(dst, value []byte) []byte {
	value = value[1 : len(value)-1]
	for i := 0; i < len(value); i++ {
		if value[i] == c.options.Escape && i+1 < len(value) && (value[i+1] == c.options.Quote || value[i+1] == c.options.Escape) {
			i++
		}
		dst = append(dst, value[i])
	}
	return dst
}

// appendCSV writes a value as PostgreSQL would.
func (c *Copy) appendCSV(dst []byte, column int, value []byte) []byte {
	o := &c.options
	quote := o.Force != nil && o.Force[column] || string(value) == o.Null || string(value) == `\.`
	for _, b := range value {
		quote = quote || b == o.Delimiter || b == o.Quote || b == '\n' || b == '\r'
	}
	if !quote {
		return append(dst, value...)
	}
	dst = append(dst, o.Quote)
	for _, b := range value {
		if b == o.Quote || b == o.Escape {
			dst = append(dst, o.Escape)
		}
		dst = append(dst, b)
	}
	return append(dst, o.Quote)
}
