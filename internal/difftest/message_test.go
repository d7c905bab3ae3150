package difftest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// firstNormalOID begins the object ids that the server gives out in use.
const firstNormalOID = 16384

// names gives what differs from run to run a name that does not.
type names struct {
	oids map[uint32]string
	pids map[uint32]string
}

func (n *names) oid(oid uint32) string {
	if oid < firstNormalOID {
		return fmt.Sprint(oid)
	}
	if _, ok := n.oids[oid]; !ok {
		n.oids[oid] = fmt.Sprintf("oid%d", len(n.oids)+1)
	}
	return n.oids[oid]
}

func (n *names) pid(pid uint32) string {
	if name, ok := n.pids[pid]; ok {
		return name
	}
	return fmt.Sprintf("unknown process %d", pid)
}

// line is a message from the server with all it means.
func (n *names) line(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.RowDescription:
		var b strings.Builder
		b.WriteString("RowDescription")
		for _, f := range m.Fields {
			fmt.Fprintf(&b, " [%s table=%s.%d type=%s size=%d mod=%d format=%d]", f.Name, n.oid(f.TableOID),
				f.TableAttributeNumber, n.oid(f.DataTypeOID), f.DataTypeSize, f.TypeModifier, f.Format)
		}
		return b.String()
	case *pgproto3.ParameterDescription:
		types := make([]string, len(m.ParameterOIDs))
		for i, oid := range m.ParameterOIDs {
			types[i] = n.oid(oid)
		}
		return fmt.Sprint("ParameterDescription ", types)
	case *pgproto3.DataRow:
		values := make([]string, len(m.Values))
		for i, v := range m.Values {
			values[i] = bytesText(v)
		}
		return "DataRow " + strings.Join(values, " ")
	case *pgproto3.ErrorResponse:
		return "ErrorResponse" + report(m)
	case *pgproto3.NoticeResponse:
		return "NoticeResponse" + report((*pgproto3.ErrorResponse)(m))
	case *pgproto3.NotificationResponse:
		return fmt.Sprintf("NotificationResponse from %s %q %q", n.pid(m.PID), m.Channel, m.Payload)
	case *pgproto3.CommandComplete:
		return fmt.Sprintf("CommandComplete %q", m.CommandTag)
	case *pgproto3.ReadyForQuery:
		return fmt.Sprintf("ReadyForQuery %c", m.TxStatus)
	case *pgproto3.ParameterStatus:
		return fmt.Sprintf("ParameterStatus %s=%q", m.Name, m.Value)
	case *pgproto3.CopyData:
		return "CopyData " + bytesText(m.Data)
	case *pgproto3.CopyInResponse:
		return fmt.Sprintf("CopyInResponse %d %v", m.OverallFormat, m.ColumnFormatCodes)
	case *pgproto3.CopyOutResponse:
		return fmt.Sprintf("CopyOutResponse %d %v", m.OverallFormat, m.ColumnFormatCodes)
	case *pgproto3.FunctionCallResponse:
		return "FunctionCallResponse " + bytesText(m.Result)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
}

// bytesText shows a value, and of a long one its length and sum.
func bytesText(v []byte) string {
	switch {
	case v == nil:
		return "NULL"
	case len(v) > 200:
		return fmt.Sprintf("%d bytes %x", len(v), sha256.Sum256(v))
	}
	return fmt.Sprintf("%q", v)
}

// report shows every field of an error or a notice.
func report(e *pgproto3.ErrorResponse) string {
	var b strings.Builder
	for _, f := range []struct {
		name, text string
	}{
		{"S", e.Severity},
		{"V", e.SeverityUnlocalized},
		{"C", e.Code},
		{"M", e.Message},
		{"D", e.Detail},
		{"H", e.Hint},
		{"P", number(e.Position)},
		{"p", number(e.InternalPosition)},
		{"q", e.InternalQuery},
		{"W", e.Where},
		{"s", e.SchemaName},
		{"t", e.TableName},
		{"c", e.ColumnName},
		{"d", e.DataTypeName},
		{"n", e.ConstraintName},
		{"F", e.File},
		{"L", number(e.Line)},
		{"R", e.Routine},
	} {
		if f.text != "" {
			fmt.Fprintf(&b, " %s=%q", f.name, f.text)
		}
	}
	for k, v := range e.UnknownFields {
		fmt.Fprintf(&b, " %c=%q", k, v)
	}
	return b.String()
}

func number(n int32) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
