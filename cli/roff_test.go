package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	roffRequest = regexp.MustCompile(`^\.(TH|SH|SS|PP|TP|IP|RS|RE|EX|EE|br|nr|nh|ad)\b`)
	roffEscape  = regexp.MustCompile(`^(e|-|&|\(aq|\(dq|\(ga|\(ha|\(ti|fB|fR)`)
)

// checkRoff checks that a page has no requests and escapes but those that Roff writes.
func checkRoff(t *testing.T, page string) {
	t.Helper()
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ".") && !roffRequest.MatchString(line) || strings.HasPrefix(line, "'") {
			t.Errorf("expected a line of text, got the request %q", line)
		}
		for i := strings.IndexByte(line, '\\'); i >= 0; {
			rest := line[i+1:]
			m := roffEscape.FindString(rest)
			if m == "" {
				t.Errorf("expected an escape that is known, got %q", line)
				break
			}
			next := strings.IndexByte(rest[len(m):], '\\')
			if next < 0 {
				break
			}
			i += 1 + len(m) + next
		}
	}
}

// A manual page has everything that help prints, and lines of a moderate width.
func TestManual(t *testing.T) {
	p := toy()
	p.Details, p.SeeAlso = strings.Repeat("word ", 40), []string{"other(5)"}
	p.Exit, p.Files, p.Environment = []Entry{{"0", "Well."}}, []Entry{{"/etc/toy", "A file."}}, []Entry{{"TOY", "A variable."}}
	var b bytes.Buffer
	p.Manual(&b, time.Date(2026, 2, 3, 23, 0, 0, 0, time.UTC), "v1")
	checkRoff(t, b.String())
	for _, want := range []string{
		".TH \"TOY\" 8 \"2026-02-03\" \"toy v1\"\n", ".SH \"NAME\"\ntoy \\- shows\n", "\\fBtoy show\\fR [flags] [WORD...]\n",
		".SS \"toy show [flags] [WORD...]\"\nPrint what it got.\n.PP\nFirst.\n.PP\nSecond.\n",
		".TP\n\\fB\\-name\\fR NAME\nA NAME (default nobody)\n", ".TP\n\\fB\\-loud\\fR\nIn capitals;", ".TP\n\\fB0\\fR\nAlways.\n",
		".EX\n# One word\ntoy show word\n.EE\n", ".SH \"FILES\"\n.TP\n\\fB/etc/toy\\fR\nA file.\n", "\\fBTOY\\fR\nA variable.\n", ".SH \"SEE ALSO\"\nother(5)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("expected %q in\n%s", want, b.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 90 {
			t.Errorf("expected lines of about %d bytes, got %q", widest, line)
		}
	}
}

// Whatever the texts have, it is text in the page.
func FuzzRoff(f *testing.F) {
	for _, s := range []string{"plain", ".br", "'tis", `a \fB b`, "a\n.SH X\nb", "a\n\n\n'b", `say "x"`, "-flag ~ ^ ` …", "\\", "a .b 'c", "\r.x", "\x00.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		r := NewRoff(&b, "x", 1, time.Time{}, "x")
		r.Section(strings.ReplaceAll(s, "\n", " "))
		r.Paragraphs(s)
		r.Item(strings.ReplaceAll(s, "\n", " "), strings.ReplaceAll(s, "\n", " "), s)
		r.More(s)
		r.Literal(s)
		checkRoff(t, b.String())
	})
}
