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
	lease, err := s.needs.Lender.Login(ctx, t.ref)
	if err != nil {
		return nil, err
	}
	up, err := s.logIn(ctx, t, lease, []param{{"application_name", "sallyport"}, {"search_path", ""}})
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
	return s.up.query(ctx, sql)
}

// query runs one statement of the gateway's own and returns its rows in text;
// NULL is "".
func (up *upstream) query(ctx context.Context, sql string) ([][]string, error) {
	stop := context.AfterFunc(ctx, func() { _ = up.conn.SetDeadline(past) })
	defer stop()
	if err := up.say(&pgproto3.Query{String: sql}); err != nil {
		return nil, err
	}
	return up.results()
}

// results reads up to the next ReadyForQuery.
func (up *upstream) results() ([][]string, error) {
	var rows [][]string
	var failed error
	for {
		kind, size, err := up.in.next()
		if err != nil {
			return nil, err
		}
		if size > maxText {
			return nil, fmt.Errorf("an answer of %d bytes", size)
		}
		body, err := up.in.hold(size)
		if err != nil {
			return nil, err
		}
		p := parts{b: body}
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
		case 'S':
			up.reported(string(p.text()), string(p.text()))
			if !p.done() {
				return nil, malformed("the server sent a malformed ParameterStatus")
			}
		case 'Z':
			up.status = p.byte()
			return rows, failed
		case 'T', 'C', 'N', 'I', 'A':
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
