package sqlguard

import (
	"slices"
	"testing"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// TestNoFieldIsMissed: of every message of the grammar, the generated code sees
// each field that holds messages, and all of what it holds. What it missed could
// hide a statement.
func TestNoFieldIsMissed(t *testing.T) {
	messages, fields := pg.File_pg_query_proto.Messages(), 0
	for i := range messages.Len() {
		d := messages.Get(i)
		if d.Messages().Len() > 0 {
			t.Errorf("%s holds messages of its own", d.Name())
		}
		mt, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
		if err != nil {
			t.Fatal(err)
		}
		full := mt.New()
		for j := range d.Fields().Len() {
			f := d.Fields().Get(j)
			if f.Kind() == protoreflect.GroupKind || f.IsMap() {
				t.Errorf("%s is of a kind that nobody reads", f.FullName())
			}
			if f.Kind() != protoreflect.MessageKind {
				continue
			}
			fields++
			alone := mt.New()
			for _, m := range []protoreflect.Message{alone, full} {
				if f.IsList() {
					list := m.Mutable(f).List()
					list.AppendMutable()
					list.AppendMutable()
				} else {
					m.Mutable(f)
				}
			}
			checkChildren(t, alone.Interface(), 1)
			if n, ok := alone.Interface().(*node); ok && unwrap(n) != alone.Get(f).Message().Interface() {
				t.Errorf("unwrap does not know %s", f.FullName())
			}
		}
		checkChildren(t, full.Interface(), 0)
		eachChild(mt.Zero().Interface(), func(proto.Message) { t.Errorf("an empty %s has a child", d.Name()) })
	}
	if messages.Len() < 200 || fields < 800 {
		t.Errorf("only %d messages with %d fields were looked at", messages.Len(), fields)
	}
}

// checkChildren compares what eachChild sees with what reflection does.
func checkChildren(t *testing.T, m proto.Message, least int) {
	t.Helper()
	var seen, there []proto.Message
	eachChild(m, func(c proto.Message) { seen = append(seen, c) })
	eachUnknownChild(m, func(c proto.Message) { there = append(there, c) })
	if len(there) < least || !slices.Equal(seen, there) {
		t.Errorf("%s: %d children seen of %d", m.ProtoReflect().Descriptor().Name(), len(seen), len(there))
	}
}

func TestUnwrapOfNothing(t *testing.T) {
	if m := unwrap(nil); m != nil {
		t.Errorf("%v out of nil", m)
	}
	if m := unwrap(&node{}); m != nil {
		t.Errorf("%v out of an empty node", m)
	}
}
