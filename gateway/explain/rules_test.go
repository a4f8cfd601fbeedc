package explain

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"radsec-gw/rules"
)

// Each step of each preset is printed, with its reason and its source.
// Rules: AR11
func TestPresets(t *testing.T) {
	var b bytes.Buffer
	Presets(&b)
	for _, preset := range rules.Presets() {
		if !strings.Contains(b.String(), preset.Name+": "+preset.Summary) {
			t.Errorf("the preset %s is not printed", preset.Name)
		}
		for _, s := range preset.Steps {
			line := regexp.MustCompile(`(?m)^    ` + regexp.QuoteMeta(s.Attribute) + `.*` + regexp.QuoteMeta(s.Value) + `.* ` + regexp.QuoteMeta(s.Reason+" ("+s.Source+")") + `$`)
			if !line.MatchString(b.String()) {
				t.Errorf("%s: no line has %s %s with its reason and source", preset.Name, s.Action, s.Attribute)
			}
			if !strings.Contains(b.String(), "\n  "+s.Packets+", "+s.Action+"\n") {
				t.Errorf("%s: no heading says %s, %s", preset.Name, s.Packets, s.Action)
			}
		}
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(line); strings.HasPrefix(line, " ") && n > 100 {
			t.Errorf("expected at most 100 characters, got %d: %s", n, line)
		}
	}
}
