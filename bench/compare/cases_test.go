package compare

import (
	"testing"
	"time"

	"radsec-gw/bench/peers"
)

func TestParseCase(t *testing.T) {
	for _, name := range allCases {
		if _, err := parseCase(name); err != nil {
			t.Error(err)
		}
	}
	c, err := parseCase("eap-64x256-50ms-many-half")
	if err != nil || len(c.mix) != 1 || c.connections != 64 || c.outstanding != 256 || c.delay != 50*time.Millisecond || !c.many || !c.half {
		t.Errorf("eap-64x256-50ms-many-half is read as %+v, %v", c, err)
	}
	if c, err := parseCase("mixed-200x8-sources-rules"); err != nil || !c.sources || !c.rules || c.applies(peers.Radsecproxy) || !c.applies(peers.Gateway) {
		t.Errorf("mixed-200x8-sources-rules is read as %+v, %v; expected a case for the gateway alone", c, err)
	}
	if c, err := parseCase("dtls-200x8"); err != nil || !c.dtls || c.name != "dtls-200x8" || len(c.mix) != 4 || c.connections != 200 || c.outstanding != 8 || c.applies(peers.Floor) || !c.applies(peers.Radsecproxy) {
		t.Errorf("dtls-200x8 is read as %+v, %v; expected mixed-200x8 over DTLS, not for the bare relay", c, err)
	}
	if c, err := parseCase("dtls-idle-7"); err != nil || !c.dtls || c.idle != 7 {
		t.Errorf("dtls-idle-7 is read as %+v, %v", c, err)
	}
	for _, name := range []string{"dtls-", "dtls-20", "dtls-idle-0", "dtls-handshake-full", "dtls-mixed-1x1", "", "mixed", "mixed-8", "mixed-0x1", "mixed-1x257", "chap-1x1", "mixed-1x1-fast", "mixed-1x1-ps", "mixed-1x1-0ps", "mixed-1x1--1s", "idle-x", "idle-0", "handshake-half", "idle-1-1"} {
		if _, err := parseCase(name); err == nil {
			t.Errorf("%q is accepted as a case", name)
		}
	}
}

// Every goal speaks of a case that is measured by default.
func TestGoalsHaveCases(t *testing.T) {
	known := map[string]bool{"": true}
	for _, name := range allCases {
		known[name] = true
	}
	for _, g := range goals {
		if !known[g.of] || !known[g.toCase] {
			t.Errorf("goal %q is about %q and %q, which are not measured", g.text, g.of, g.toCase)
		}
	}
}
