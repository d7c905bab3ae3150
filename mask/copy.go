package mask

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CopyFormat is the FORMAT of COPY.
type CopyFormat uint8

// The formats of COPY.
const (
	CopyText CopyFormat = iota
	CopyCSV
	CopyBinary
)

// CopyOptions say how COPY ... TO STDOUT writes its rows. Start from
// CopyDefaults.
// PostgreSQL 17, sql-copy.html.
type CopyOptions struct {
	Format    CopyFormat
	Delimiter byte
	Null      string // what stands for NULL, as it is sent
	Header    bool
	Quote     byte   // CSV
	Escape    byte   // CSV
	Force     []bool // CSV: FORCE_QUOTE by column; nil forces none
	Encoding  string // of the rows; empty is the session's, which is UTF8
}

// CopyDefaults are the options of a COPY that names none but the format.
func CopyDefaults(f CopyFormat) CopyOptions {
	if f == CopyCSV {
		return CopyOptions{Format: f, Delimiter: ',', Quote: '"', Escape: '"'}
	}
	return CopyOptions{Format: f, Delimiter: '\t', Null: `\N`}
}

// Copy masks the rows of one COPY ... TO STDOUT.
type Copy struct {
	plan    Plan
	fields  []Field
	options CopyOptions
	header  bool // still to come
	certain bool // what reads as Null can be nothing else
	utf8    bool
	begun   bool // the header of a binary copy has passed
	ended   bool // and its trailer

	plain []byte // a value as it was before COPY wrote it
	out   []byte // its masked form
}

// Errors of rows that aren't what the options say. Nothing of them may pass.
var (
	errCopyOptions = errors.New("options of COPY that contradict each other")
	errCopyRow     = errors.New("a row of COPY is not written as its options say")
	errCopyWidth   = errors.New("a row of COPY does not have the columns of its plan")
)

// embeds are the encodings whose characters hold bytes of ASCII: a backslash
// may be half of a letter. PostgreSQL 17, multibyte.html, those that can't be
// a server's encoding.
var embeds = []string{"BIG5", "GB18030", "GBK", "JOHAB", "SJIS", "MSKANJI", "SHIFTJIS", "WIN932", "WINDOWS932", "WIN936", "WINDOWS936", "WIN949", "WINDOWS949", "WIN950", "WINDOWS950", "UHC", "SHIFTJIS2004", "SJIS2004"}

// NewCopy prepares to mask rows. The fields' Format is what the options say,
// and theirs is ignored; their types come from the catalog, for CopyOutResponse
// has none. A column whose type isn't known is NULL when it is masked.
func NewCopy(plan Plan, fields []Field, o CopyOptions) (*Copy, error) {
	encoding := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, o.Encoding)
	c := &Copy{plan: plan, options: o, header: o.Header, fields: slices.Clone(fields)}
	c.utf8 = encoding == "" || encoding == "UTF8" || encoding == "UNICODE"
	switch {
	case len(plan) != len(fields) || o.Force != nil && len(o.Force) != len(fields):
		return nil, errCopyWidth
	case slices.Contains(embeds, encoding) && o.Format != CopyBinary:
		return nil, fmt.Errorf("rows in encoding %q can't be divided safely", o.Encoding)
	case o.Format > CopyBinary:
		return nil, errCopyOptions
	case o.Format == CopyBinary && o.Header:
		return nil, errCopyOptions
	case o.Format != CopyBinary && (strings.ContainsAny(o.Null, "\r\n") || strings.IndexByte(o.Null, o.Delimiter) >= 0 || !separates(o.Delimiter)):
		return nil, errCopyOptions
	case o.Format == CopyText && (len(o.Null)-len(strings.TrimRight(o.Null, `\`)))%2 != 0:
		return nil, errCopyOptions // what follows it would be escaped: nobody can read that
	case o.Format == CopyText && strings.IndexByte(`\.abcdefghijklmnopqrstuvwxyz0123456789`, o.Delimiter) >= 0:
		return nil, errCopyOptions
	case o.Format == CopyCSV && (!separates(o.Quote) || !separates(o.Escape) || o.Quote == o.Delimiter || strings.IndexByte(o.Null, o.Quote) >= 0):
		return nil, errCopyOptions
	}
	for i := range c.fields {
		c.fields[i].Format = 0
		if o.Format == CopyBinary {
			c.fields[i].Format = inBinary
		}
	}
	c.certain = o.Null == "" || o.Format != CopyText || string(appendCopyText(nil, unescape(nil, []byte(o.Null)), o.Delimiter)) != o.Null
	return c, nil
}

// separates reports whether COPY takes the byte as a delimiter or quote.
func separates(c byte) bool { return c != 0 && c != '\r' && c != '\n' && c < 0x80 }

// Row appends the masked form of the data of one CopyData message to dst, and
// says how many values were masked. The message holds whole rows: PostgreSQL
// sends one in each, the header with the first of a binary copy. After an error
// nothing was appended, and the copy must end.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-COPY.
func (c *Copy) Row(dst, data []byte) (out []byte, masked int, err error) {
	switch c.options.Format {
	case CopyText:
		out, masked, err = c.textRows(dst, data)
	case CopyCSV:
		out, masked, err = c.csvRows(dst, data)
	default:
		out, masked, err = c.binaryRows(dst, data)
	}
	if err != nil {
		return dst, 0, err
	}
	return out, masked, nil
}

// End reports whether the rows may end here: a binary copy has a trailer.
func (c *Copy) End() error {
	if c.options.Format == CopyBinary && !c.ended {
		return errCopyRow
	}
	return nil
}

// apply masks one value of a column. In an encoding other than UTF-8 only
// values in ASCII are read as text; c.out holds the result until the next call.
func (c *Copy) apply(column int, value []byte) (out []byte, null bool) {
	t := c.plan[column]
	if t.text != nil && t.scan == nil && !c.utf8 && !isASCII(value) {
		t = transforms["redact"]
	}
	c.out, null = t.Apply(c.out[:0], c.fields[column], value)
	return c.out, null
}

// left reports whether nothing was found in a value that was only looked through.
func (c *Copy) left(column int, out, value []byte) bool {
	return c.plan[column].scan != nil && bytes.Equal(out, value)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
