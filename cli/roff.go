package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Roff writes a manual page with the macros of man(7).
type Roff struct {
	w     io.Writer
	begun bool // nothing was written since the heading: a paragraph needs no macro
}

// NewRoff begins the page name(section). The date is that of the source; the page has none
// when it is zero.
func NewRoff(w io.Writer, name string, section int, date time.Time, source string) *Roff {
	day := ""
	if !date.IsZero() {
		day = date.UTC().Format(time.DateOnly)
	}
	r := &Roff{w: w}
	fmt.Fprintf(w, ".TH %s %d %q %q\n.nr HY 0\n.nh\n.ad l\n", quoteArgument(strings.ToUpper(name)), section, day, source)
	return r
}

// Section begins a section.
func (r *Roff) Section(title string) {
	fmt.Fprintf(r.w, ".SH %s\n", quoteArgument(title))
	r.begun = true
}

// Subsection begins a part of a section.
func (r *Roff) Subsection(title string) {
	fmt.Fprintf(r.w, ".SS %s\n", quoteArgument(title))
	r.begun = true
}

// Paragraphs writes paragraphs, which have an empty line between two.
func (r *Roff) Paragraphs(text string) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		r.paragraph()
		fmt.Fprintf(r.w, "%s\n", escapeText(part))
	}
}

// paragraph begins a paragraph.
func (r *Roff) paragraph() {
	if !r.begun {
		fmt.Fprintln(r.w, ".PP")
	}
	r.begun = false
}

// Item writes a name in bold, with what follows it in plain letters, and its text indented.
func (r *Roff) Item(name, rest, text string) {
	r.begun = false
	fmt.Fprintf(r.w, ".TP\n\\fB%s\\fR%s\n%s\n", escapeLine(name), escapeLine(rest), escapeText(text))
}

// More adds paragraphs to the text of an Item.
func (r *Roff) More(text string) { fmt.Fprintf(r.w, ".IP\n%s\n", escapeText(text)) }

// Literal writes lines as they are, indented.
func (r *Roff) Literal(lines string) {
	r.paragraph()
	fmt.Fprint(r.w, ".RS 4\n.EX\n")
	for line := range strings.Lines(lines) {
		fmt.Fprintln(r.w, escapeLine(strings.TrimSuffix(line, "\n")))
	}
	fmt.Fprint(r.w, ".EE\n.RE\n")
}

// widest is the width of the lines of a page in bytes.
const widest = 78

// escapeText escapes a paragraph, and breaks it into lines.
func escapeText(text string) string {
	var b strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		escaped := escapeLine(word)
		switch {
		case width == 0:
		case width+1+len(escaped) > widest:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			escaped = strings.TrimPrefix(escaped, `\&`)
			width++
		}
		b.WriteString(escaped)
		width += len(escaped)
	}
	return b.String()
}

// escapeLine escapes what has a meaning in roff: the backslash anywhere, hyphens and quotes,
// which would be printed as others, and a dot or an apostrophe at the beginning.
func escapeLine(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "…", "...").Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}

// quoteArgument returns one argument of a macro.
func quoteArgument(s string) string {
	return `"` + strings.ReplaceAll(escapeLine(s), `"`, `\(dq`) + `"`
}
