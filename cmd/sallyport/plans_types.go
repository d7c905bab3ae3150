package main

import (
	"sallyport/mask"
	"sallyport/sqlguard"
)

// ownTypes is where the numbers of types begin that a database has made itself.
const ownTypes = 16384

// like is the type with a fixed number whose values are written as those of a type
// that the database has made; 0 where there is none.
func like(cat *sqlguard.Catalog, id uint32) uint32 {
	t, ok := cat.Type(id)
	for depth := 0; ok && t.Kind == 'd' && depth < 100; depth++ {
		if id = t.Base; id < ownTypes {
			return id
		}
		t, ok = cat.Type(id)
	}
	if !ok {
		return 0
	}
	element := t.Element
	if element >= ownTypes {
		if element = like(cat, element); element == 0 {
			return 0
		}
	}
	return mask.LikeOf(t.Name, t.Kind, element)
}
