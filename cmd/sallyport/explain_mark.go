package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// marker prints a statement with the words underlined that led to its facts.
type marker struct {
	w       io.Writer
	colours bool
}

// print writes the statement line by line, and under each line what begins in
// it. What is nowhere in the text comes last.
func (m marker) print(sql string, marks []mark) {
	if len(marks) == 0 {
		return
	}
	fmt.Fprintln(m.w)
	shown := m.lines(sql, marks)
	for i, k := range marks {
		if !shown[i] {
			fmt.Fprintf(m.w, "  (%s) %s\n", strings.Join(k.Facts, ", "), k.Why)
		}
	}
}

// maxLines is how many lines around nothing of interest are printed.
const maxLines = 40

func (m marker) lines(sql string, marks []mark) map[int]bool {
	shown := map[int]bool{}
	at, skipped := 0, 0
	lines := strings.SplitAfter(sql, "\n")
	for _, line := range lines {
		text := strings.TrimRight(line, "\r\n")
		var here []int
		covered := false
		for i, k := range marks {
			begins := k.from >= at && k.from < at+len(line) && k.to > k.from
			covered = covered || begins || k.from < at && k.to > at
			if begins {
				here = append(here, i)
			}
		}
		if len(lines) > maxLines && !covered {
			skipped++
			at += len(line)
			continue
		}
		m.skipped(&skipped)
		fmt.Fprintln(m.w, "  "+m.coloured(text, at, marks))
		for _, i := range here {
			k := marks[i]
			shown[i] = true
			from, to := k.from-at, min(k.to-at, len(text))
			fmt.Fprintf(m.w, "  %s%s %s: %s\n", blanks(text[:from]), m.red("^"+strings.Repeat("~", max(utf8.RuneCountInString(text[from:max(from, to)])-1, 0))),
				strings.Join(k.Facts, ", "), k.Why)
		}
		at += len(line)
	}
	m.skipped(&skipped)
	return shown
}

func (m marker) skipped(n *int) {
	if *n > 0 {
		fmt.Fprintf(m.w, "  ... %s\n", plural(*n, "line"))
		*n = 0
	}
}

// coloured is a line of the statement, beginning at a byte of it, with the
// marked words in red on a terminal.
func (m marker) coloured(line string, at int, marks []mark) string {
	if !m.colours {
		return printable(line)
	}
	var out strings.Builder
	red := false
	for i, r := range line {
		is := false
		for _, k := range marks {
			is = is || at+i >= k.from && at+i < k.to
		}
		if is != red {
			out.WriteString(map[bool]string{true: "\x1b[31m", false: "\x1b[0m"}[is])
			red = is
		}
		out.WriteString(printable(string(r)))
	}
	if red {
		out.WriteString("\x1b[0m")
	}
	return out.String()
}

func (m marker) red(s string) string {
	if m.colours {
		return "\x1b[31m" + s + "\x1b[0m"
	}
	return s
}

// printable keeps a statement from steering the terminal it is printed on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// blanks is as wide as a text.
func blanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}
