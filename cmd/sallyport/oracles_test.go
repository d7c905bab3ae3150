package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestOracles sends each line of testdata/masks/oracles.sql before two databases
// that differ in their protected values alone: what the client gets, errors,
// notices and numbers of rows, must be just the same.
func TestOracles(t *testing.T) {
	for _, filter := range []string{"equality", "deny"} {
		t.Run(filter, func(t *testing.T) {
			worlds, types := twins(t, filter, "")
			gates := [2]*pgconn.PgConn{worlds[0].connect(t).PgConn(), worlds[1].connect(t).PgConn()}
			ran, refused := 0, 0
			for number, line := range strings.Split(masksData(t, "oracles.sql"), "\n") {
				if line == "" || strings.HasPrefix(line, "--") {
					continue
				}
				sql, only, _ := strings.Cut(line, " -- ")
				if only != "" && only != filter {
					continue
				}
				for way := range 2 {
					var got [2][][]byte
					var said [2]string
					for w, world := range worlds {
						world.seen.take()
						rows, err := runWay(t.Context(), gates[w], sql, way, true)
						got[w], said[w] = rows, allOf(err)
						if bytes.Contains(world.seen.take(), []byte("SNOTICE\x00")) {
							said[w] += " and a notice"
						}
						if gates[w].IsClosed() {
							gates[w] = world.connect(t).PgConn()
						}
					}
					for r, row := range got[1] {
						got[1][r] = renumbered(row, types)
					}
					switch {
					case said[0] != said[1]:
						t.Errorf("line %d, way %d: %s\nsays  %q\nor    %q", number+1, way, sql, said[0], said[1])
					case !slices.EqualFunc(sorted(got[0]), sorted(got[1]), bytes.Equal):
						t.Errorf("line %d, way %d: %s\ngives %.300q\nor    %.300q", number+1, way, sql, got[0], got[1])
					case strings.HasPrefix(said[0], "42501"):
						refused++
					case said[0] == "":
						ran++
					}
				}
			}
			t.Logf("%d ran, %d were refused", ran, refused)
			if ran < 100 || refused < 100 {
				t.Error("too few ran, or too few were refused, for this to tell anything")
			}
		})
	}
}

// twins are two databases that differ in their protected values alone, each behind
// a gateway, and the numbers of the types that each has made. unlike is run in the second.
func twins(t *testing.T, filter, unlike string) (worlds [2]*maskedWorld, types [2][][]byte) {
	masks := strings.ReplaceAll(masksData(t, "masks.toml"), `with = "redact"`, `with = "redact"`+"\nfilter = \""+filter+`"`)
	masks = strings.ReplaceAll(masks, "fields =", `filter = "`+filter+"\"\nfields =")
	// Without statistics, that tell values, both databases have the same plans.
	schema := strings.ReplaceAll(masksData(t, "schema.sql"), "ANALYZE;", "")
	worlds = [2]*maskedWorld{newMaskedWorld(t, schema, masks), newMaskedWorld(t, otherValues.Replace(schema)+unlike, masks)}
	return worlds, [2][][]byte{typesOf(t, worlds[0]), typesOf(t, worlds[1])}
}
