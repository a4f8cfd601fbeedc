package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
)

// Of a server's ports those are opened that some route with that server uses.
func TestUsedPorts(t *testing.T) {
	for _, x := range []struct {
		says   string
		routes []config.Route
		want   string
	}{
		{"access only", []config.Route{{Servers: []string{"a"}, Packets: []string{"access"}}}, "1 0 0"},
		{"two routes, other kinds", []config.Route{{Servers: []string{"b", "a"}, Packets: []string{"access"}}, {Servers: []string{"a"}, Packets: []string{"disconnect"}}}, "1 0 3"},
		{"another server's route", []config.Route{{Servers: []string{"a"}, Packets: []string{"accounting"}}, {Servers: []string{"b"}, Packets: []string{"access", "coa"}}}, "0 2 0"},
		{"no route", nil, "0 0 0"},
	} {
		cfg := &config.Config{Routes: x.routes, Servers: []config.Server{{Name: "a", AuthPort: 1, AcctPort: 2, CoAPort: 3}}}
		s := withUsedPorts(cfg, &cfg.Servers[0])
		if got := strings.Trim(strings.Join([]string{itoa(s.AuthPort), itoa(s.AcctPort), itoa(s.CoAPort)}, " "), " "); got != x.want {
			t.Errorf("with %s the ports %s should be used, but they are %s", x.says, x.want, got)
		}
		if cfg.Servers[0].AcctPort != 2 {
			t.Error("the configuration should stay as it is, but it was changed")
		}
	}
}

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

// Nothing is told about a port that no route uses: it is not probed, and nobody
// is called because it does not answer. A reload that uses it opens it.
func TestUnusedPortsAreNotOpened(t *testing.T) {
	o := startOutside(t, answering(t))
	o.rewrite(`packets = ["access", "accounting", "coa", "disconnect"]`+"\nservers", `packets = ["access"]`+"\nservers")
	o.reload()
	const up = `radsec_gw_server_up{port="%",server="udp"}`
	state := func(now map[string]float64) (told string) {
		for _, port := range []string{"auth", "acct", "coa"} {
			if v, ok := now[strings.Replace(up, "%", port, 1)]; ok {
				told += port + "=" + strconv.Itoa(int(v)) + " "
			}
		}
		return told
	}
	o.await("auth=1 ", state)
	o.connect("plain").good()
	o.rewrite(`packets = ["access"]`+"\nservers", `packets = ["access", "accounting"]`+"\nservers")
	o.reload()
	o.await("auth=1 acct=1 ", state)
}

// check says what silence leads to for the ports that are used, and that a server
// without route gets nothing.
func TestCheckTellsUsedPortsOnly(t *testing.T) {
	_, file := checkDir(t, strings.Replace(checkConfig, `servers = ["a", "b"]`, `servers = ["a"]`, 1))
	status, out, errs := checkCommand("-config", file)
	if status != 0 {
		t.Fatalf("expected no mistakes, got %d: %s", status, errs)
	}
	if !strings.Contains(out, "  b\n    in no route: nothing is sent to it\n") {
		t.Errorf("expected that nothing is sent to b, came\n%s", out)
	}
	s := config.Server{AuthPort: 1812, Health: config.HealthStatusServer, RetransmitInitial: time.Second}
	if got := strings.Join(healthWords(&s), "\n"); strings.Contains(got, "acct") || strings.Contains(got, "coa") {
		t.Errorf("expected the port auth alone, came\n%s", got)
	}
}
