package rules

import (
	"errors"
	"testing"

	"radsec-gw/wire"
)

// Presets compile without mistakes and warnings, with a reason and a source for
// each step.
//
// Rules: AR11
func TestPresetsCompile(t *testing.T) {
	for _, p := range Presets() {
		if w := compiled(t, &Rule{Use: items(p.Name)}).Warnings(); len(w) != 0 {
			t.Errorf("%s: expected no warnings, got %v", p.Name, w)
		}
		for _, s := range p.Steps {
			if s.Source == "" || s.Reason == "" || !s.Requests && !s.Replies {
				t.Errorf("%s: expected a source, a reason and a direction, got %+v", p.Name, s)
			}
		}
	}
}

// User-Names that cannot be routed are refused in requests, in each preset.
//
// Rules: AR11
func TestPresetsRefuse(t *testing.T) {
	for _, p := range Presets() {
		for name, refused := range map[string]bool{
			"bob@example.org": false, "host/bob@a.b.example.org": false, "@example.org": false,
			"bob": true, "bob@": true, "bob @example.org": true, "bob@example.org ": true, "bob@example..org": true,
			"bob@.example.org": true, "bob@example.org.": true, "bob@example": true, "a@b.example@example.org": true, "": true,
		} {
			_, err := apply(t, &Rule{Use: items(p.Name)}, packet(t, 1, attr(1, name)))
			var rejected *RejectError
			if errors.As(err, &rejected) != refused {
				t.Errorf("%s: expected %q refused %v, got %v", p.Name, name, refused, err)
			}
		}
	}
}

// Foreign Accepts lose tunnels, filters and times, and keep their keys; requests
// keep theirs.
//
// Rules: AR11
func TestPresetsStrip(t *testing.T) {
	key := vsa(vendorMicrosoft, 16, "k", 17, "l")
	v := packet(t, accept, attr(64, "\x00\x00\x00\x0d"), attr(81, "7"), attr(11, "f"), attr(27, "\x00\x00\x00\x01"), attr(92, "deny"), attr(1, "bob"), attr(25, "c"), key)
	kept := `1=bob 25=c 26=\x00\x00\x017\x10\x03k\x11\x03l`
	for name, want := range map[string]string{"eduroam-in": kept, "eduroam-out": kept, "openroaming": "11=f " + kept} {
		expect(t, name, &Rule{Use: items(name)}, v, want)
	}
	expect(t, "a request", &Rule{Use: items("eduroam-out"), Set: assign("Operator-Name", "1example.net")},
		packet(t, 1, attr(1, "bob@example.org"), attr(126, "1other"), attr(27, "\x00\x00\x00\x01")), `1=bob@example.org 27=\x00\x00\x00\x01 89=\x00 126=1example.net`)
	if !NewChain(compiled(t, &Rule{Use: items("openroaming")})).Applies(wire.KindAccess) {
		t.Error("expected the preset to apply to Access")
	}
}
