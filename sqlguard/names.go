package sqlguard

import "google.golang.org/protobuf/proto"

// figureName gives the name that the server gives an output without one, and
// how sure it is of it: 2 for a name in the expression, 1 for a kind of
// expression, 0 for none. After FigureColname in PostgreSQL's parse_target.c.
func figureName(n *node) (string, int) {
	switch m := unwrap(n).(type) {
	case *columnRef:
		for i := len(m.Fields) - 1; i >= 0; i-- {
			if name := text(m.Fields[i]); name != "" {
				return name, 2
			}
		}
	case *indirection:
		for i := len(m.Indirection) - 1; i >= 0; i-- {
			if name := text(m.Indirection[i]); name != "" {
				return name, 2
			}
		}
		return figureName(m.Arg)
	case *funcCall:
		_, name := qualified(names(m.Funcname))
		return name, 2
	case *aExpr:
		if m.Kind == opNullIf {
			return "nullif", 2
		}
	case *typeCast:
		if name, sure := figureName(m.Arg); sure > 1 {
			return name, sure
		}
		if _, name := qualified(names(m.TypeName.GetNames())); name != "" {
			return name, 1
		}
	case *collate:
		return figureName(m.Arg)
	case *caseExpr:
		if name, sure := figureName(m.Defresult); sure > 1 {
			return name, sure
		}
		return "case", 1
	case *subLink:
		return sublinkName(m)
	default:
		return kindName(m)
	}
	return "?column?", 0
}

func sublinkName(m *subLink) (string, int) {
	switch m.SubLinkType {
	case subExists:
		return "exists", 2
	case subArray:
		return "array", 2
	case subExpr:
		if q, ok := unwrap(m.Subselect).(*selectStmt); ok && len(q.TargetList) == 1 {
			if t := q.TargetList[0].GetResTarget(); t != nil {
				if t.Name != "" {
					return t.Name, 2
				}
				return figureName(t.Val)
			}
		}
	}
	return "?column?", 0
}

func kindName(m proto.Message) (string, int) {
	switch m := m.(type) {
	case *aArray:
		return "array", 2
	case *rowExpr:
		return "row", 2
	case *coalesce:
		return "coalesce", 2
	case *minMax:
		if m.Op.String() == "IS_LEAST" {
			return "least", 2
		}
		return "greatest", 2
	case *grouping:
		return "grouping", 2
	case *jsonObject:
		return "json_object", 2
	case *jsonArray, *jsonQuery:
		return "json_array", 2
	case *jsonObjAgg:
		return "json_objectagg", 2
	case *jsonArrAgg:
		return "json_arrayagg", 2
	case *xmlSerial:
		return "xmlserialize", 2
	}
	return "?column?", 0
}
