package config

import (
	"strings"
	"testing"
)

// Rules: P24, P56, P82
func TestMistakesOfServer(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"server alone", goodListen + goodClient + goodRoute + "[[server]]\n", []string{
			`9: route[0].servers[0]: expected the name of a [[server]], got "s"`,
			"10: server[0].name: missing", "10: server[0].address: missing", "10: server[0].secret: missing: expected one of secret, secret_file or secret_env"}},
		{"server name twice", inServer(goodServer), []string{`15: server[1].name: "s" is already used on line 11`}},
		{"server address with port", strings.Replace(inServer(""), "127.0.0.1", "127.0.0.1:1812", 1), []string{`12: server[0].address: expected an IP address or a host name without a port, got "127.0.0.1:1812": ports go into`}},
		{"mistyped server address", strings.Replace(inServer(""), "127.0.0.1", "127.0.0.256", 1), []string{`12: server[0].address: expected an IP address or a host name, got "127.0.0.256"`}},
		{"server address of nobody", strings.Replace(inServer(""), "127.0.0.1", "0.0.0.0", 1), []string{`12: server[0].address: expected an IP address or a host name that one server answers at, got "0.0.0.0"`}},
		{"port out of range", inServer("auth_port=65536\n"), []string{`14: server[0].auth_port: expected an integer from 0 to 65535, got the integer 65536`}},
		{"no port at all", inServer("auth_port=0\nacct_port=0\ncoa_port=0\n"), []string{
			`9: route[0].servers[0]: server "s" has auth_port = 0, but this route sends it "access" packets`,
			`9: route[0].servers[0]: server "s" has acct_port = 0, but this route sends it "accounting" packets`,
			`10: server[0]: expected at least one of auth_port, acct_port and coa_port`}},
		{"health", inServer("health='ping'\n"), []string{`14: server[0].health: expected "status-server", `}},
		{"probe without user", inServer("health='access-request'\n"), []string{
			`10: server[0].health_password: missing: expected one of health_password, health_password_file or health_password_env`, `10: server[0].health_user: missing: expected the User-Name`}},
		{"probe with empty user", inServer("health='access-request'\nhealth_user=''\nhealth_password='x'\n"), []string{`15: server[0].health_user: expected 1 to 253 bytes, got 0`}},
		{"probe with empty password", inServer("health='access-request'\nhealth_user='x'\nhealth_password=''\n"), []string{`16: server[0].health_password: expected a secret, got an empty one`}},
		{"probe with long password", inServer("health='access-request'\nhealth_user='x'\nhealth_password='" + strings.Repeat("x", 129) + "'\n"), []string{`16: server[0].health_password: expected a password of at most 128 bytes (RFC 2865 §5.2), got 129`}},
		{"NAS identifiers without a NAS", inServer("nas_identifier=['x']\n"), []string{`10: server[0]: nas_identifier and nas_ip_address go with nas = true only`}},
		{"NAS without a port", inServer("nas=true\ncoa_port=0\n"), []string{`14: server[0].nas: expected a coa_port above zero`}},
		{"NAS by host name", strings.Replace(inServer("nas=true\n"), "127.0.0.1", "ap.example", 1), []string{`14: server[0].nas: expected nas_identifier or nas_ip_address`}},
		{"NAS called nothing", inServer("nas=true\nnas_ip_address=[]\n"), []string{`14: server[0].nas: expected nas_identifier or nas_ip_address`}},
		{"NAS identifier twice", inServer("nas=true\nnas_identifier=['x','x','']\n"), []string{`15: server[0].nas_identifier[1]: "x" is listed twice`, `15: server[0].nas_identifier[2]: expected 1 to 253 bytes, got 0`}},
		{"NAS address", inServer("nas=true\nnas_ip_address=['ap','::1','::1']\n"), []string{`15: server[0].nas_ip_address[0]: expected an IP address such as`, `15: server[0].nas_ip_address[2]: "::1" is listed twice`}},
		{"operators of a route without CoA", inRoute("[[route]]\noperators=['wbaid:X']\nservers=['s']\n"), []string{`12: route[0].operators: expected "coa" or "disconnect" in packets`}},
		{"neither realms nor operators", inRoute("[[route]]\noperators=[]\nservers=['s']\n"), []string{`11: route[0].realms: missing`}},
		{"realm format", inRoute(goodRoute + "[routing]\nrealm_formats=['suffix','prefx']\n"), []string{`15: routing.realm_formats[1]: expected "suffix", "prefix" or "machine", got "prefx" (did you mean "prefix"?)`}},
		{"no realm format", inRoute(goodRoute + "[routing]\nrealm_formats=[]\n"), []string{`15: routing.realm_formats: expected at least one of`}},
		{"empty loop secret", inRoute(goodRoute + "[routing]\nloop_marker_secret=''\n"), []string{`15: routing.loop_marker_secret: expected a secret, got an empty one`}},
		{"user without probe", inServer("health_user='x'\n"), []string{`10: server[0]: health_user and health_password go with health = "access-request" only, got health = "status-server"`}},
		{"suspicion", inServer("suspect_after=0\n"), []string{`14: server[0].suspect_after: expected an integer of 1 or more, got the integer 0`}},
		{"failing at once", inServer("failing_after=0\n"), []string{`14: server[0].failing_after: expected an integer of 1 or more`}},
		{"hasty look-ups", inServer("resolve_interval='500ms'\n"), []string{`14: server[0].resolve_interval: expected "0s", or 1s or more, got 500ms`}},
		{"look-ups a number", inServer("resolve_interval=30\n"), []string{`14: server[0].resolve_interval: expected a duration in quotes such as "10s" or "5m"`}},
		{"expand as a string", strings.Replace(inServer("expand='yes'\n"), "127.0.0.1", "pool.internal", 1), []string{`14: server[0].expand: expected true or false`}},
		{"expand of an address", inServer("expand=true\n"), []string{`14: server[0].expand: expected a host name in address with expand = true, got the IP address "127.0.0.1"`}},
		{"name of an address", inServer("[[server]]\nname='s@10.0.0.1'\naddress='10.0.0.1'\nsecret='0123456789abcdef'\n"), []string{`15: server[1].name: expected another name, got "s@10.0.0.1", which means an address of server "s" (line 10)`}},
		{"hasty watchdog", inServer("watchdog_interval='5s'\n"), []string{`14: server[0].watchdog_interval: expected 6s or more (RFC 3539 §3.4.1), got 5s`}},
		{"no time between probes", inServer("probe_interval='0s'\n"), []string{`14: server[0].probe_interval: expected a duration above zero`}},
		{"never down, never up", inServer("down_after=0\nup_after=0\n"), []string{`14: server[0].down_after: expected an integer of 1 or more`, `15: server[0].up_after: expected an integer of 1 or more`}},
		{"reverse path", inClient("reverse_path='on'\n"), []string{`14: client[0].reverse_path: expected "off", "drop" or "nak", got "on"`}},
		{"move on", goodListen + goodClient + goodServer + goodRoute + "move_on_after=0\n", []string{`14: route[0].move_on_after: expected an integer from 1 to 100, got the integer 0`}},
		{"timestamps", inListen("[routing]\nevent_timestamp_window='-1s'\nrequire_event_timestamp=1\n"), []string{
			`15: routing.event_timestamp_window: expected a duration that is not negative`, `16: routing.require_event_timestamp: expected true or false`}},
		{"sockets", inServer("max_sockets=0\n"), []string{`14: server[0].max_sockets: expected an integer from 1 to 1024, got the integer 0`}},
		{"schedule without end", inServer("retransmit_duration='0s'\n"), []string{`14: server[0].retransmit_duration: expected a duration above zero`}},
		{"schedule shorter than its first step", inServer("retransmit_duration='1s'\n"), []string{`14: server[0].retransmit_duration: expected retransmit_initial (2s) or more, got 1s`}},
		{"choice without what follows from it", strings.Replace(inListen("client_auth='non'\n"), "client_ca='ca.pem'\n", "", 1), []string{`13: listen.client_auth: expected "require", "optional" or "none", got "non"`}},
		{"packets without what follows from them", inServer("acct_port=0\n[[route]]\nrealms=['*']\npackets=['acces']\nservers=['s']\n"), []string{
			`9: route[0].servers[0]: server "s" has acct_port = 0`, `17: route[1].packets[0]: expected "access", "accounting", "coa" or "disconnect", got "acces"`}},
		{"schedule that shrinks", inServer("retransmit_max='1s'\n"), []string{`14: server[0].retransmit_max: expected retransmit_initial (2s) or more, got 1s`}},
	})
}

// A source is an address of this machine, of the family of the server's.
func TestSource(t *testing.T) {
	for source, want := range map[string]string{
		"":            "",
		"10.0.0.7":    "",
		"2001:db8::7": "expected an address of the same family as address",
		"0.0.0.0":     "expected an IP address of this machine",
		"radius":      "expected an IP address of this machine",
	} {
		r := &reader{}
		s := Server{Address: "10.0.0.1"}
		readSource(&table{r: r, path: "server[0]", values: map[string]any{"source": source}}, &s)
		if got := r.mistakes.Error(); (want == "") != (len(r.mistakes) == 0) || !strings.Contains(got, want) {
			t.Errorf("source %q: %v, expected %q", source, got, want)
		}
		if want == "" && source != "" && s.Source.String() != source {
			t.Errorf("source %q was read as %v", source, s.Source)
		}
	}
}
