package gateway

import (
	"strconv"
	"strings"
	"testing"

	"radsec-gw/config"
)

// Only those ports of a server are opened that some route uses.
func TestUsedPorts(t *testing.T) {
	for _, x := range []struct {
		says   string
		routes []config.Route
		want   string
	}{
		{"access only", []config.Route{{Servers: []string{"a"}, Packets: []string{"access"}}}, "1 0 0"},
		{"two routes, other kinds", []config.Route{{Servers: []string{"b", "a"}, Packets: []string{"access"}}, {Servers: []string{"a"}, Packets: []string{"disconnect"}}}, "1 0 3"},
		{"another server's route", []config.Route{{Servers: []string{"a"}, Packets: []string{"accounting"}}, {Servers: []string{"b"}, Packets: []string{"access", "coa"}}}, "0 2 0"},
		{"accounting that is answered here", []config.Route{{Servers: []string{"a"}, Packets: []string{"access", "accounting"}, Accounting: "answer"}}, "1 0 0"},
		{"no route", nil, "0 0 0"},
	} {
		cfg := &config.Config{Routes: x.routes, Servers: []config.Server{{Name: "a", AuthPort: 1, AcctPort: 2, CoAPort: 3}}}
		s := withUsedPorts(cfg, &cfg.Servers[0])
		if got := strings.Trim(strings.Join([]string{itoa(s.AuthPort), itoa(s.AcctPort), itoa(s.CoAPort)}, " "), " "); got != x.want {
			t.Errorf("%s: expected the ports %s, got %s", x.says, x.want, got)
		}
		if cfg.Servers[0].AcctPort != 2 {
			t.Error("the configuration was changed")
		}
	}
}

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

// A port that no route uses is not checked, and not shown as down. A reload by which a
// route uses it opens it.
func TestUnusedPortsAreNotOpened(t *testing.T) {
	g := startGateway(t, answering(t))
	g.rewrite(`packets = ["access", "accounting", "coa", "disconnect"]`+"\nservers", `packets = ["access"]`+"\nservers")
	g.reload()
	const up = `radsec_gw_server_up{port="%",server="udp"}`
	state := func(now map[string]float64) (found string) {
		for _, port := range []string{"auth", "acct", "coa"} {
			if v, ok := now[strings.Replace(up, "%", port, 1)]; ok {
				found += port + "=" + strconv.Itoa(int(v)) + " "
			}
		}
		return found
	}
	g.await("auth=1 ", state)
	g.connect("plain").good()
	g.rewrite(`packets = ["access"]`+"\nservers", `packets = ["access", "accounting"]`+"\nservers")
	g.reload()
	g.await("auth=1 acct=1 ", state)
}
