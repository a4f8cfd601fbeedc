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
			if s.Source == "" || s.Reason == "" || s.Packets == "" {
				t.Errorf("%s: expected a source, a reason and packets, got %+v", p.Name, s)
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
	v := packet(t, accept, attr(64, "\x00\x00\x00\x0d"), attr(81, "7"), attr(11, "f"), attr(28, "\x00\x00\x00\x01"), attr(92, "deny"), attr(89, "cui"), attr(1, "bob"), attr(25, "c"), key)
	kept := `89=cui 1=bob 25=c 26=\x00\x00\x017\x10\x03k\x11\x03l`
	for name, want := range map[string]string{"eduroam-in": kept, "eduroam-out": kept, "openroaming": `11=f 28=\x00\x00\x00\x01 ` + kept} {
		expect(t, name, &Rule{Use: items(name)}, v, want)
	}
	expect(t, "a request", &Rule{Use: items("eduroam-out"), Set: assign("Operator-Name", "1example.net")},
		packet(t, 1, attr(1, "bob@example.org"), attr(126, "1other"), attr(27, "\x00\x00\x00\x01")), `1=bob@example.org 27=\x00\x00\x00\x01 89=\x00 126=1example.net`)
}

// Presets leave Access-Challenges, accounting and CoA as they are.
//
// Rules: AR11
func TestPresetsLeave(t *testing.T) {
	for _, p := range Presets() {
		for name, v := range map[string]*wire.View{
			"an Access-Challenge":    packet(t, 11, attr(27, "\x00\x00\x00\x1e"), attr(79, "e"), attr(11, "f")),
			"an Access-Reject":       packet(t, 3, attr(18, "no"), attr(11, "f")),
			"an Accounting-Request":  packet(t, 4, attr(1, "bob"), attr(27, "\x00\x00\x00\x01")),
			"a CoA-Request":          packet(t, 43, attr(1, "bob"), attr(81, "7")),
			"a Disconnect-Request":   packet(t, 40, attr(1, "bob @x")),
			"an Accounting-Response": packet(t, 5, attr(11, "f")),
		} {
			expect(t, p.Name+" and "+name, &Rule{Use: items(p.Name)}, v, show(v))
		}
	}
}

// In OpenRoaming the service and the time that the Identity Provider grants pass, and what
// only it may say is removed from requests.
//
// Rules: AR11
func TestPresetOpenRoaming(t *testing.T) {
	expect(t, "an Access-Accept", &Rule{Use: items("openroaming")}, packet(t, accept, attr(11, "OpenRoaming Gold"), attr(27, "\x00\x00\x0e\x10"), attr(81, "7"), vsa(14122, 16, "4idp")),
		`11=OpenRoaming Gold 27=\x00\x00\x0e\x10 26=\x00\x007*\x10\x064idp`)
	expect(t, "an Accounting-Request", &Rule{Use: items("openroaming")}, packet(t, 4, attr(1, "bob"), vsa(14122, 16, "4idp")), "1=bob")
	if !NewChain(compiled(t, &Rule{Use: items("openroaming")})).Applies(wire.KindAccess) {
		t.Error("expected the preset to apply to Access")
	}
}
