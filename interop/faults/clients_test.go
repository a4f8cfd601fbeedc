package faults

import (
	"os"
	"regexp"
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
	for _, client := range []string{"radsecproxy", "FreeRADIUS", "radcli", "hostapd", "Cisco", "Aruba", "Meraki", "MikroTik", "UniFi"} {
		if process.CountLines(page, "## "+client) == 0 {
			t.Errorf("docs/clients.md lacks a section about %s", client)
		}
		if _, section, _ := strings.Cut(page, "\n## "+client); !strings.Contains(strings.ToLower(strings.Split(section, "\n## ")[0]), " says") && client != "radcli" && client != "hostapd" {
			t.Errorf("docs/clients.md does not say what the log of %s says", client)
		}
	}
	for _, text := range []string{"fragment_size = 8192", "EAP"} {
		if _, section, _ := strings.Cut(page, "\n## FreeRADIUS"); !strings.Contains(section, text) {
			t.Errorf("docs/clients.md lacks %q about FreeRADIUS", text)
		}
	}
	for _, document := range []string{"clients", "servers", "from-radsecproxy", "from-freeradius"} {
		if !strings.Contains(string(need(os.ReadFile("../../README.md"))), "docs/"+document+".md") {
			t.Errorf("README.md does not name docs/%s.md", document)
		}
	}
}

// The page for those who set up servers has each kind of server: the client entry, how it
// is checked, what its log says of a wrong secret and of an unknown client.
//
// Fault F12.
func TestThePageOfServersHasEachServer(t *testing.T) {
	t.Parallel()
	page := string(need(os.ReadFile("../../docs/servers.md")))
	for _, server := range []string{"FreeRADIUS 3", "FreeRADIUS 2", "Microsoft NPS", "Cisco ISE", "Radiator"} {
		_, section, found := strings.Cut(page, "\n## "+server)
		section = strings.Split(section, "\n## ")[0]
		for _, text := range []string{"Message-Authenticator", "secret", "client", "says"} {
			if !strings.Contains(strings.ReplaceAll(section, "Its log has", "says"), text) || !found {
				t.Errorf("docs/servers.md lacks %q about %s", text, server)
			}
		}
	}
}

// What docs/servers.md has of the gateway's log is what the gateway says.
//
// Fault F12.
func TestThePageOfServersQuotesTheGateway(t *testing.T) {
	t.Parallel()
	page := string(need(os.ReadFile("../../docs/servers.md")))
	source := string(need(os.ReadFile("../../udpback/portlog.go")))
	_, table, _ := strings.Cut(page, "| the gateway says | look at |")
	table, _, _ = strings.Cut(table, "\n\n")
	quotes := regexp.MustCompile("`([a-zA-Z][^`]* [^`]*)`").FindAllStringSubmatch(table, -1)
	for _, q := range quotes {
		if !strings.Contains(source, q[1]) {
			t.Errorf("docs/servers.md quotes %q, which the gateway does not say", q[1])
		}
	}
	if len(quotes) < 6 {
		t.Errorf("expected 6 quotes or more, got %q", quotes)
	}
}
