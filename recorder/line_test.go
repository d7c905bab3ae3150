package recorder

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// TestLinesAreThoseOfJSON compares lines over random events, every field of which
// is set at times: a new field that nobody writes is found here.
func TestLinesAreThoseOfJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var line []byte
	for range 20_000 {
		var e Event
		fill(r, reflect.ValueOf(&e).Elem(), 0)
		if r.IntN(3) > 0 { // as they are in earnest
			e.Open, e.Frame, e.Close, e.Notes = nil, nil, nil, nil
		}
		checkLine(t, &line, &e)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("select '<a&b>'\u2028\x00\xff\"\\\t", int64(-1))
	f.Fuzz(func(t *testing.T, text string, n int64) {
		var line []byte
		checkLine(t, &line, &Event{Seq: n, Kind: text, Statement: &Statement{ID: n, Text: text, Verbs: []string{text}, Params: []Param{{Text: &text}}}})
		checkLine(t, &line, &Event{Exchange: &Exchange{ID: n, Path: text, Body: text, Flags: []string{text}, Estimate: &Estimate{MaxTokens: n, Worst: text}}})
		checkLine(t, &line, &Event{Outcome: &Outcome{Body: text, Usage: &Usage{Model: text, CachedTokens: n, Estimated: n > 0}}})
		checkLine(t, &line, &Event{Time: time.Unix(n, n).UTC(), Outcome: &Outcome{Tag: text, Rows: n, Body: text}})
	})
}

func checkLine(t *testing.T, line *[]byte, e *Event) {
	t.Helper()
	var want bytes.Buffer
	encode := json.NewEncoder(&want)
	encode.SetEscapeHTML(false)
	fails := encode.Encode(e)
	got, err := appendLine((*line)[:0], e)
	if (err != nil) != (fails != nil) || err == nil && !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("%+v\n got %s %v\nwant %s %v", e, got, err, want.Bytes(), fails)
	}
	*line = got
}

// texts are hard to write down.
var texts = []string{
	"", "select 1", "a\"b\\c/d", "\b\f\n\r\t\x00\x1f\x7f", "<script>&amp;</script>", "\u2028\u2029\u202a", "\xff\xfe", "a\xc3", "é漢😀", "\xed\xa0\x80", "\ufffd",
}

func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			times := []time.Time{
				{},
				time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC(), time.Unix(r.Int64N(4e9), 500_000_000).UTC(),
				time.Unix(r.Int64N(4e9), 0).In(time.FixedZone("", 5400)), time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC),
			}
			v.Set(reflect.ValueOf(times[r.IntN(len(times))]))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i), depth+1)
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if n := r.IntN(4) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(r, v.Index(i), depth+1)
			}
		}
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))])
	case reflect.Int64:
		v.SetInt([]int64{0, 1, -1, r.Int64(), math.MaxInt64, math.MinInt64}[r.IntN(6)])
	case reflect.Bool:
		v.SetBool(r.IntN(2) > 0)
	default:
		panic("no events hold a " + v.Kind().String())
	}
}
