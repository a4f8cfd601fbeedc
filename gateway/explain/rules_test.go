package explain

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

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
			line := regexp.MustCompile(`(?m)^  (requests|replies|both) +` + s.Action + ` +` + regexp.QuoteMeta(s.Attribute) + `.* ` + regexp.QuoteMeta(s.Reason+" ("+s.Source+")") + `$`)
			if !line.MatchString(b.String()) {
				t.Errorf("%s: no line has %s %s with its reason and source", preset.Name, s.Action, s.Attribute)
			}
		}
	}
}
