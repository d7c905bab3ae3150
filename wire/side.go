package wire

import (
	"context"
	"fmt"

	"github.com/jackc/pgproto3/v2"
)

// Side is a connection to a target beside any session, with its own lease: the
// guard reads the catalog over it. Not for concurrent use.
type Side struct {
	server *Server
	up     *upstream
}

// Side logs in to a target. Its search_path is empty, so that no name of the
// gateway's own queries can be taken over.
func (s *Server) Side(ctx context.Context, name string) (*Side, error) {
	t, ok := s.targets[name]
	if !ok {
		return nil, fmt.Errorf("target %q does not exist", name)
	}
	up, err := s.dial(ctx, t, []param{{"application_name", "sallyport"}, {"search_path", ""}})
	if err != nil {
		return nil, err
	}
	return &Side{s, up}, nil
}

// Close ends the connection and gives the lease back.
func (s *Side) Close() {
	s.up.close()
	s.server.giveBack(s.up.lease)
}

// Query runs one statement and returns its rows in text; NULL is "".
func (s *Side) Query(ctx context.Context, sql string) ([][]string, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.up.conn.SetDeadline(past) })
	defer stop()
	if err := s.up.say(&pgproto3.Query{String: sql}); err != nil {
		return nil, err
	}
	var rows [][]string
	var failed error
	for {
		kind, size, err := s.up.in.next()
		if err != nil {
			return nil, err
		}
		if size > maxText {
			return nil, fmt.Errorf("an answer of %d bytes", size)
		}
		body, err := s.up.in.hold(size)
		if err != nil {
			return nil, err
		}
		switch kind {
		case 'D':
			row, err := parseRow(body)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		case 'E':
			r, err := parseReport(body)
			if err != nil {
				return nil, err
			}
			failed = fmt.Errorf("SQLSTATE %s: %s", r.get('C'), r.get('M'))
		case 'Z':
			return rows, failed
		case 'T', 'C', 'N', 'S', 'I':
		default:
			return nil, unasked(kind)
		}
	}
}

// parseRow reads a DataRow in text format.
func parseRow(body []byte) ([]string, error) {
	p := parts{b: body}
	n := int(p.int16()) & 0xffff
	row := make([]string, 0, min(n, len(body)/4+1))
	for i := 0; i < n && !p.bad; i++ {
		v, _ := p.value()
		row = append(row, string(v))
	}
	if !p.done() {
		return nil, malformed("the server sent a malformed DataRow")
	}
	return row, nil
}
