package main

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/sqlguard"
)

func TestReadingsAreBoundToTheirCatalog(t *testing.T) {
	r, one, two := newReadings(), &sqlguard.Catalog{}, &sqlguard.Catalog{}
	r.put(&remembered{key: "select 1", reading: sqlguard.Reading{Unknown: []string{"x"}}}, one)
	if got := r.get("select 1", one); got == nil || len(got.reading.Unknown) != 1 {
		t.Fatal("forgotten")
	}
	if r.get("select 1", two) != nil {
		t.Fatal("a reading against another catalog was taken")
	}
	r.put(&remembered{key: "select 1"}, two)
	r.put(&remembered{key: "select 2"}, two)
	if r.get("select 1", one) != nil || r.used.Len() != 2 {
		t.Fatal("the older reading is kept")
	}
	r.put(&remembered{key: "select 3"}, one)
	if r.used.Len() != 1 || len(r.known) != 1 || r.bytes != weight("select 3") {
		t.Fatal("readings keep another catalog alive")
	}
}

func TestReadingsAreBounded(t *testing.T) {
	r := newReadings()
	pad := strings.Repeat("x", 10_000)
	r.put(&remembered{key: "first" + pad}, nil)
	for i := range 1000 {
		r.put(&remembered{key: fmt.Sprintf("%d%s", i, pad)}, nil)
		if i < 100 {
			if r.get("first"+pad, nil) == nil {
				t.Fatal("what is used was forgotten")
			}
		}
	}
	if r.get("first"+pad, nil) != nil || r.bytes > readingsBytes || len(r.known) != r.used.Len() {
		t.Fatalf("%d bytes, %d and %d known", r.bytes, len(r.known), r.used.Len())
	}
	r.put(&remembered{key: strings.Repeat("y", readingLong+1)}, nil)
	if r.get(strings.Repeat("y", readingLong+1), nil) != nil {
		t.Fatal("a long text was remembered")
	}
}
