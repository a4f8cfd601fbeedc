package peers

import (
	"strings"
	"testing"

	"radsec-gw/bench/material"
)

func TestConfigurationSizes(t *testing.T) {
	for many, want := range map[bool][3]int{false: {1, 1, 1}, true: {manyClients, manyServers, manyRoutes}} {
		set := Setup{Files: material.In("/certs"), Listen: "127.0.0.1:1", Auth: 2, Acct: 3, Secret: "s", Many: many}
		text, err := set.gateway()
		if err != nil {
			t.Fatal(err)
		}
		got := [3]int{strings.Count(text, "[[client]]"), strings.Count(text, "[[server]]"), strings.Count(text, "[[route]]")}
		if got != want {
			t.Errorf("many=%v: %d clients, servers, routes, want %d", many, got, want)
		}
		if n := strings.Count(set.radsecproxy(), "\nrealm "); n != want[2] {
			t.Errorf("many=%v: radsecproxy has %d realms, want %d", many, n, want[2])
		}
	}
	dtls := Setup{Files: material.In("/certs"), Listen: "127.0.0.1:1", Auth: 2, Acct: 3, Secret: "s", DTLS: true}
	if text, err := dtls.gateway(); err != nil || !strings.Contains(text, `transport = "dtls"`) || strings.Contains(text, `"radsec"`) || !strings.Contains(dtls.radsecproxy(), "ListenDTLS 127.0.0.1:1\n") {
		t.Errorf("with DTLS: %v\n%s\n%s", err, text, dtls.radsecproxy())
	}
	set := Setup{Files: material.In("/certs"), Listen: "127.0.0.1:1", Auth: 2, Acct: 3, Secret: "s", Rules: true, Sources: true}
	text, err := set.gateway()
	if err != nil {
		t.Fatal(err)
	}
	if clients, rules, sources := strings.Count(text, "[[client]]"), strings.Count(text, "[[rule]]"), strings.Count(text, "\nsource = "); clients != manyClients+1 || rules != 10 || sources != manyClients {
		t.Errorf("%d clients, %d rules and %d sources, want %d, 10 and %d", clients, rules, sources, manyClients+1, manyClients)
	}
}
