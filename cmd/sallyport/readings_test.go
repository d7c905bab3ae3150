package main

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/sqlguard"
)

func TestReadingsAreBoundToTheirCatalog(t *testing.T) {
	r, one, two := newReadings(), &sqlguard.Catalog{}, &sqlguard.Catalog{}
	r.put("select 1", one, sqlguard.Reading{Unknown: []string{"x"}})
	if got, ok := r.get("select 1", one); !ok || len(got.Unknown) != 1 {
		t.Fatal("forgotten")
	}
	if _, ok := r.get("select 1", two); ok {
		t.Fatal("a reading against another catalog was taken")
	}
	r.put("select 1", two, sqlguard.Reading{})
	r.put("select 2", two, sqlguard.Reading{})
	if _, ok := r.get("select 1", one); ok || r.used.Len() != 2 {
		t.Fatal("the older reading is kept")
	}
	r.put("select 3", one, sqlguard.Reading{})
	if r.used.Len() != 1 || len(r.known) != 1 || r.bytes != weight("select 3") {
		t.Fatal("readings keep another catalog alive")
	}
}

func TestReadingsAreBounded(t *testing.T) {
	r := newReadings()
	pad := strings.Repeat("x", 10_000)
	r.put("first"+pad, nil, sqlguard.Reading{})
	for i := range 1000 {
		r.put(fmt.Sprintf("%d%s", i, pad), nil, sqlguard.Reading{})
		if i < 100 {
			if _, ok := r.get("first"+pad, nil); !ok {
				t.Fatal("what is used was forgotten")
			}
		}
	}
	if _, ok := r.get("first"+pad, nil); ok || r.bytes > readingsBytes || len(r.known) != r.used.Len() {
		t.Fatalf("%d bytes, %d and %d known", r.bytes, len(r.known), r.used.Len())
	}
	r.put(strings.Repeat("y", readingLong+1), nil, sqlguard.Reading{})
	if _, ok := r.get(strings.Repeat("y", readingLong+1), nil); ok {
		t.Fatal("a long text was remembered")
	}
}
