package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"sallyport/policy"
)

// tree is a parsed table: what the TOML parser made of the file.
type tree = map[string]any

// decode puts the table at path into the struct to, by its toml tags. What the
// struct does not know or cannot hold is a problem; the rest is decoded.
func (p *problems) decode(path []string, from tree, to reflect.Value) {
	fields := fieldsByKey(to)
	for _, key := range slices.Sorted(maps.Keys(from)) {
		path := at(path, key)
		field, ok := fields[key]
		switch {
		case isLater(path):
			p.add(path, "%s %s", named(path), notYet)
		case !ok:
			p.add(path, "unknown key %q%s%s", key, inTable(path), policy.DidYouMean(key, slices.Collect(maps.Keys(fields))))
		default:
			p.set(path, from[key], field)
		}
	}
}

// fieldsByKey gives the fields of a struct by their keys.
func fieldsByKey(of reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value)
	for i := range of.NumField() {
		if key, ok := of.Type().Field(i).Tag.Lookup("toml"); ok && key != "-" {
			fields[key] = of.Field(i)
		}
	}
	return fields
}

// inTable is " in [postgres.orders]" for a key in that table.
func inTable(path []string) string {
	table := path[:len(path)-1]
	switch {
	case len(table) == 0:
		return ""
	case isEntry(table[len(table)-1]):
		return " in [[" + named(table) + "]]"
	}
	return " in [" + named(table) + "]"
}

// set puts a value of the tree into a field.
func (p *problems) set(path []string, value any, field reflect.Value) {
	switch field.Interface().(type) {
	case time.Time:
		p.setTime(path, value, field)
		return
	case time.Duration:
		p.setDuration(path, value, field)
		return
	}
	switch field.Kind() {
	case reflect.Pointer:
		made := reflect.New(field.Type().Elem())
		p.set(path, value, made.Elem())
		field.Set(made)
	case reflect.Struct:
		if table, ok := value.(tree); ok {
			p.decode(path, table, field)
			return
		}
		p.mistyped(path, value, field.Type())
	case reflect.Map:
		p.setMap(path, value, field)
	case reflect.Slice:
		p.setSlice(path, value, field)
	default:
		v := reflect.ValueOf(value)
		if v.Kind() != field.Kind() && (!v.CanInt() || !field.CanInt() || field.OverflowInt(v.Int())) {
			p.mistyped(path, value, field.Type())
			return
		}
		field.Set(v.Convert(field.Type()))
	}
}

func (p *problems) setTime(path []string, value any, field reflect.Value) {
	t, ok := value.(time.Time)
	switch {
	case !ok:
		p.mistyped(path, value, field.Type())
	case strings.HasSuffix(t.Location().String(), "-local"): // how the parser marks a time without an offset
		p.unreadable(path, "%s must say its time zone, as in 2027-01-01T00:00:00Z", named(path))
	default:
		field.Set(reflect.ValueOf(t))
	}
}

func (p *problems) setDuration(path []string, value any, field reflect.Value) {
	s, ok := value.(string)
	if !ok {
		p.mistyped(path, value, field.Type())
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		p.unreadable(path, `%s must be a length of time such as "90s" or "10m", is %q`, named(path), s)
		return
	}
	field.SetInt(int64(d))
}

// setMap decodes a table of tables whose keys are names: [postgres.NAME].
func (p *problems) setMap(path []string, value any, field reflect.Value) {
	table, ok := value.(tree)
	if !ok {
		p.mistyped(path, value, field.Type())
		return
	}
	field.Set(reflect.MakeMapWithSize(field.Type(), len(table)))
	for name, value := range table {
		element := reflect.New(field.Type().Elem()).Elem()
		p.set(at(path, name), value, element)
		field.SetMapIndex(reflect.ValueOf(name), element)
	}
}

// setSlice decodes an array of values or of tables. Entries that cannot be read
// are left at zero, so that the others keep their positions.
func (p *problems) setSlice(path []string, value any, field reflect.Value) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		p.mistyped(path, value, field.Type())
		return
	}
	field.Set(reflect.MakeSlice(field.Type(), v.Len(), v.Len()))
	for i := range v.Len() {
		p.set(at(path, entry(i)), v.Index(i).Interface(), field.Index(i))
	}
}

// mistyped says that a value has the wrong type.
func (p *problems) mistyped(path []string, value any, want reflect.Type) {
	is := kindOf(reflect.TypeOf(value))
	if isEntry(path[len(path)-1]) {
		p.unreadable(path, "each entry of %s must be %s, this one is %s", named(path), kindOf(want), is)
		return
	}
	p.unreadable(path, "%s must be %s, is %s", named(path), kindOf(want), is)
}

// kindOf is what a person calls a TOML value of the Go type.
func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "a date and time"
	case t == reflect.TypeFor[time.Duration]():
		return "a string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "an integer"
	case reflect.Float64:
		return "a number with a fraction"
	case reflect.Map, reflect.Struct:
		return "a table"
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.String:
			return "an array of strings"
		case reflect.Struct, reflect.Map:
			return "an array of tables"
		}
		return "an array"
	}
	return fmt.Sprintf("of type %s", t)
}
