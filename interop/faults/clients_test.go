package faults

import (
	"os"
	"strings"
	"testing"

	"radsec-gw/bench/process"
)

// An idle_timeout that costs clients requests is warned of.
//
// Fault F11.
func TestAShortIdleTimeoutIsWarnedOf(t *testing.T) {
	t.Parallel()
	for value, warned := range map[string]bool{"59s": true, "60s": false, "0s": false} {
		b := newBed(t)
		b.listen = `idle_timeout = "` + value + `"`
		status, said := b.check()
		if warns := process.CountLines(said, "listen.idle_timeout: 59s is below 1m0s", "loses that request") == 1; status != 0 || warns != warned {
			t.Errorf("with idle_timeout %s check exits %d and warns: %v, expected 0 and %v:\n%s", value, status, warns, warned, said)
		}
	}
}

// The page for those who set up clients has each kind of client.
//
// Fault F12.
func TestThePageOfClientsHasEachClient(t *testing.T) {
	t.Parallel()
	page := string(need(os.ReadFile("../../docs/clients.md")))
	for _, client := range []string{"radsecproxy", "FreeRADIUS", "radcli", "hostapd", "Cisco", "Aruba", "Meraki", "MikroTik"} {
		if process.CountLines(page, "## "+client) == 0 {
			t.Errorf("docs/clients.md lacks a section about %s", client)
		}
	}
	if !strings.Contains(page, "fragment_size") {
		t.Error("docs/clients.md does not say that FreeRADIUS needs fragment_size")
	}
	if !strings.Contains(string(need(os.ReadFile("../../README.md"))), "docs/clients.md") {
		t.Error("README.md does not name docs/clients.md")
	}
}
