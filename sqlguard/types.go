package sqlguard

import (
	"fmt"
	"strconv"
)

// Type is one that the database has made: a base type of an extension, a domain,
// or an array of one of those.
type Type struct {
	Name    string
	Kind    byte   // pg_type.typtype: b base, d domain
	Element uint32 // of an array: the type of what is in it; 0 for any other
	Base    uint32 // of a domain: what it is made of; 0 for any other

	modifier int32 // of a domain's base: n+4 for varchar(n); -1 for none
}

// typesQuery asks for all of them, but for what is made of rows.
const typesQuery = `SELECT t.oid, t.typname, t.typtype, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, t.typbasetype, t.typtypmod
	FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
	WHERE t.oid >= 16384 AND (t.typtype = 'd' OR t.typtype = 'b' AND coalesce(e.typtype, 'b') IN ('b', 'd'))`

func addOwnType(c *Catalog, row []string) error {
	id, err := oid(row[0])
	if err != nil {
		return err
	}
	if len(row[2]) != 1 {
		return fmt.Errorf("type %q of kind %q", row[1], row[2])
	}
	t := Type{Name: row[1], Kind: row[2][0]}
	if t.Element, t.Base, err = oids(row[3:]); err != nil {
		return err
	}
	modifier, err := strconv.ParseInt(row[5], 10, 32)
	if err != nil {
		return err
	}
	t.modifier = int32(modifier)
	c.types[id] = t
	return nil
}

// baseOf is what a domain is made of in the end, and the modifier of that; any
// other type as it is.
func (c *Catalog) baseOf(id uint32, modifier int32) (uint32, int32) {
	for t := c.types[id]; t.Base != 0; t = c.types[id] {
		if modifier < 0 {
			modifier = t.modifier
		}
		id = t.Base
	}
	return id, modifier
}

// Type is the type of that number; false for PostgreSQL's own, and for those of
// which nothing is kept.
func (c *Catalog) Type(id uint32) (Type, bool) {
	if c == nil {
		return Type{}, false
	}
	t, ok := c.types[id]
	return t, ok
}
