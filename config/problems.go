package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration file.
type Problem struct {
	File    string // as the user named it
	Line    int    // from 1; 0 when no line is to blame
	Message string
}

// String is file:line: message.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// Errors is everything wrong with a configuration file, by line.
type Errors []Problem

// Error is one line for each problem.
func (e Errors) Error() string {
	all := make([]string, len(e))
	for i, p := range e {
		all[i] = p.String()
	}
	return strings.Join(all, "\n")
}

// problems collects what is wrong with one file.
type problems struct {
	file  string
	lines lines
	all   Errors
	wrong map[string]bool // paths whose value could not be read
}

// add notes a problem of the key at path.
func (p *problems) add(path []string, format string, args ...any) {
	p.all = append(p.all, Problem{p.file, p.lines.of(path), fmt.Sprintf(format, args...)})
}

// unreadable notes a problem that leaves no value to check at path: what would
// follow from its absence is not said as well.
func (p *problems) unreadable(path []string, format string, args ...any) {
	p.add(path, format, args...)
	p.wrong[pathKey(path)] = true
}

// check notes a problem found in the value at path, unless an entry of that
// value, or a table around it, could not be read.
func (p *problems) check(path []string, format string, args ...any) {
	key := pathKey(path) + "\x00"
	for wrong := range p.wrong {
		if wrong += "\x00"; strings.HasPrefix(key, wrong) || strings.HasPrefix(wrong, key+"[") {
			return
		}
	}
	p.add(path, format, args...)
}

// has reports whether the file has the key or table at path.
func (p *problems) has(path []string) bool {
	_, ok := p.lines[pathKey(path)]
	return ok
}

// errors gives the problems in the order of their lines, or nil.
func (p *problems) errors() error {
	if len(p.all) == 0 {
		return nil
	}
	slices.SortStableFunc(p.all, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return slices.CompactFunc(p.all, func(a, b Problem) bool { return a == b })
}

// at is the path of a key in a table.
func at(table []string, keys ...string) []string {
	return append(table[:len(table):len(table)], keys...)
}

// named is how a person writes the path: without the positions in arrays.
func named(path []string) string {
	keys := slices.DeleteFunc(slices.Clone(path), isEntry)
	return strings.Join(keys, ".")
}
