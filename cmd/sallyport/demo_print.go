package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// tourPrinter writes the tour: what is asked, what comes back, what to make of it.
// Colours only where somebody can see them.
type tourPrinter struct {
	out     io.Writer
	colours bool
}

func newTourPrinter(out io.Writer) *tourPrinter {
	p := &tourPrinter{out: out}
	if f, ok := out.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		p.colours = term.IsTerminal(int(f.Fd()))
	}
	return p
}

// The escape sequences of the few colours used.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	green = "\x1b[32m"
	red   = "\x1b[31m"
)

func (p *tourPrinter) paint(colour, text string) string {
	if !p.colours {
		return text
	}
	return colour + text + "\x1b[0m"
}

// title heads one step.
func (p *tourPrinter) title(n, of int, text string) {
	p.printf("\n%s\n", p.paint(bold, fmt.Sprintf("%d/%d  %s", n, of, text)))
}

// command is what the client sends.
func (p *tourPrinter) command(text string) { p.printf("  > %s\n", text) }

// lines are what came back.
func (p *tourPrinter) lines(lines []string) {
	for _, line := range lines {
		p.printf("    %s\n", p.paint(faint, line))
	}
}

// verdict says what the step showed, or how it went wrong.
func (p *tourPrinter) verdict(text string, err error) {
	if err != nil {
		p.printf("  %s\n", p.paint(red, "FAILED: "+err.Error()))
		return
	}
	p.printf("  %s\n", p.paint(green, "ok: "+text))
}

func (p *tourPrinter) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }

// table lays rows out in columns; the first row is the header.
func table(rows [][]string) []string {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	lines := make([]string, 0, len(rows))
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("   ")
			}
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", width[i]-len([]rune(cell))))
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}
