package mask

// kind is what masking knows of a type: how its values are written, and what
// may stand for one.
type kind uint8

// The kinds. The numbers go into hashes: new kinds are added at the end.
const (
	kindOther  kind = iota // nothing is known: masked is NULL
	kindText               // any text
	kindName               // text of at most 63 bytes
	kindSized              // text of at most Modifier characters
	kindPadded             // text of exactly Modifier characters
	kindJSON
	kindJSONB
	kindArray // of the kind elements gives
	kindHstore
	kindBytea
	kindUUID
	kindInt2
	kindInt4
	kindInt8
	kindNumeric
	kindInet
	kindCIDR
	kindMACAddr
	kindMACAddr8
	// These are masked to NULL, but have a zero.
	kindBool
	kindFloat4
	kindFloat8
	kindDate
	kindTime
	kindTimeTZ
	kindTimestamp
	kindTimestampTZ
	kindInterval
)

// Types that masking names. PostgreSQL 17, src/include/catalog/pg_type.dat.
const (
	oidName    = 19
	oidText    = 25
	oidJSON    = 114
	oidUnknown = 705
	oidBpchar  = 1042
	oidVarchar = 1043
	oidJSONB   = 3802
)

// LikeHstore is what Field.Like says of the extension's type hstore, which has
// another OID in each database. No type has this one.
const LikeHstore = 1

// kinds is every type masking knows, by OID.
var kinds = map[uint32]kind{
	LikeHstore: kindHstore,
	16:         kindBool,
	17:         kindBytea,
	oidName:    kindName,
	20:         kindInt8,
	21:         kindInt2,
	23:         kindInt4,
	oidText:    kindText,
	oidJSON:    kindJSON,
	650:        kindCIDR,
	700:        kindFloat4,
	701:        kindFloat8,
	oidUnknown: kindText,
	774:        kindMACAddr8,
	829:        kindMACAddr,
	869:        kindInet,
	oidBpchar:  kindPadded,
	oidVarchar: kindSized,
	1082:       kindDate,
	1083:       kindTime,
	1114:       kindTimestamp,
	1184:       kindTimestampTZ,
	1186:       kindInterval,
	1266:       kindTimeTZ,
	1700:       kindNumeric,
	2950:       kindUUID,
	oidJSONB:   kindJSONB,
}

// elements gives the element type of each array type masking knows.
var elements = map[uint32]uint32{
	199: oidJSON, 651: 650, 775: 774, 1000: 16, 1001: 17, 1003: oidName, 1005: 21, 1007: 23, 1009: oidText,
	1014: oidBpchar, 1015: oidVarchar, 1016: 20, 1021: 700, 1022: 701, 1040: 829, 1041: 869, 1115: 1114,
	1182: 1082, 1183: 1083, 1185: 1184, 1187: 1186, 1231: 1700, 1270: 1266, 2951: 2950, 3807: oidJSONB,
}

// kindOf is the kind of the values of the type.
func kindOf(oid uint32) kind {
	switch oid { // the usual, without a map
	case oidText:
		return kindText
	case oidVarchar:
		return kindSized
	}
	if k, ok := kinds[oid]; ok {
		return k
	}
	if elements[oid] != 0 {
		return kindArray
	}
	return kindOther
}

// LikeOf says what Field.Like is of a type that has no fixed OID, from its row
// in pg_type: the name (typname), the kind of type (typtype) and, of an array,
// what LikeOf or the OID says of its elements. 0: nothing is known of it, and
// its values are masked to NULL.
//
// Enums, composites, ranges and whatever an extension brings have no value that
// means "masked". A domain, which RowDescription never reports by itself, is like its base
// type wherever it is met.
func LikeOf(typname string, typtype byte, element uint32) uint32 {
	switch {
	case element != 0:
		for array, of := range elements {
			if of == element {
				return array
			}
		}
	case typtype != 'b':
	case typname == "citext":
		return oidText
	case typname == "hstore":
		return LikeHstore
	}
	return 0
}

// text reports whether values are text in both formats.
func (k kind) text() bool { return k >= kindText && k <= kindPadded }

// bits is the size of an integer.
func (k kind) bits() int {
	switch k {
	case kindInt2:
		return 16
	case kindInt4:
		return 32
	}
	return 64
}

// kindSet is a set of kinds.
type kindSet uint64

func setOf(kinds ...kind) (s kindSet) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

func (s kindSet) has(k kind) bool { return s>>k&1 != 0 }
