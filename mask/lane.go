package mask

// lane masks one logical text that comes in pieces, such as the arguments of a
// tool call: what it gives back, put together, is what Content.text makes of the
// whole. A text that begins as a JSON document is read as one for as long as it
// is one; escapes within its strings come out in their shortest form.
type lane struct {
	content *Content
	context string
	depth   int // how many documents this text is nested in
	mode    laneMode
	plain   *Scanner
	doc     *jsonText
	masked  int
}

type laneMode int8

const (
	undecided laneMode = iota // nothing but white space so far
	plainText
	inDocument
	withheld // a document with protected members went wrong: nothing more is shown
)

func newLane(c *Content, context string, depth int) *lane {
	return &lane{content: c, context: context, depth: depth}
}

// again makes the lane ready for another text.
func (l *lane) again(context string) { l.context, l.mode = context, undecided }

// write appends to dst what is decided once p is known.
func (l *lane) write(dst, p []byte) []byte {
	for len(p) > 0 {
		switch l.mode {
		case undecided:
			n := 0
			for n < len(p) && isSpace(p[n]) {
				n++
			}
			dst = append(dst, p[:n]...)
			if p = p[n:]; len(p) == 0 {
				return dst
			}
			if (p[0] == '{' || p[0] == '[') && l.depth < maxNested {
				l.begin()
			} else {
				l.beginPlain()
			}
		case plainText:
			before := l.plain.masked
			dst = l.plain.Write(dst, p)
			l.masked += l.plain.masked - before
			return dst
		case inDocument:
			var n int
			dst, n = l.doc.write(dst, p)
			p = p[n:]
			dst = l.after(dst)
		default:
			return dst
		}
	}
	return dst
}

// begin starts reading a document.
func (l *lane) begin() {
	l.mode = inDocument
	if l.doc == nil {
		l.doc = &jsonText{lane: l}
	}
	l.doc.reset()
}

func (l *lane) beginPlain() {
	l.mode = plainText
	if l.plain == nil {
		l.plain = l.content.detect.Scanner("")
	}
	l.plain.begin(l.context)
}

// after goes on behind a document, or where it stopped being one.
func (l *lane) after(dst []byte) []byte {
	switch l.doc.state {
	case docDone:
		l.mode = undecided
	case docBroken:
		if l.content.fields != nil && l.doc.named {
			l.mode = withheld
			l.masked++
			return redact(dst, nil)
		}
		l.beginPlain()
		held := l.doc.held
		l.doc.held = nil
		return l.write(dst, held)
	}
	return dst
}

// close appends the rest. The lane is ready for another text.
func (l *lane) close(dst []byte) []byte {
	switch l.mode {
	case inDocument:
		dst = l.doc.close(dst)
	case plainText:
		before := l.plain.masked
		dst = l.plain.Close(dst)
		l.masked += l.plain.masked - before
	}
	l.mode = undecided
	return dst
}
