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

// isArray reports whether a type is that of arrays: PostgreSQL's own, or one that
// the database has made.
func (c *Catalog) isArray(id uint32) bool {
	if t, own := c.Type(id); own {
		base, _ := c.baseOf(id, -1)
		return t.Element != 0 || base != id && c.isArray(base)
	}
	return ownArrays[id]
}

// ownArrays are PostgreSQL's types of category A. pg_type.dat of PostgreSQL 18.
var ownArrays = func() map[uint32]bool {
	all := map[uint32]bool{}
	for _, id := range []uint32{
		22, 30, 143, 199, 271, 629, 651, 719, 775, 791, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017,
		1018, 1019, 1020, 1021, 1022, 1027, 1028, 1034, 1040, 1041, 1115, 1182, 1183, 1185, 1187, 1231, 1263, 1270, 1561, 1563, 2201, 2207, 2208, 2209, 2210,
		2211, 2949, 2951, 3643, 3644, 3645, 3735, 3770, 3807, 3905, 3907, 3909, 3911, 3913, 3927, 4073, 4090, 4097, 4192, 5039, 6150, 6151, 6152, 6153, 6155, 6157,
	} {
		all[id] = true
	}
	return all
}()
