package explain

import (
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// A route without servers is in the report, with the answer that its requests get.
func TestReportOnRouteWithoutServers(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers+"[[route]]\nrealms = [\"blocked.example\"]\nservers = []\n[routing]\non_unroutable = \"protocol-error\"\n")
	plain := strings.Join(strings.Fields(reportOf(t, file)), " ")
	for _, want := range []string{"blocked.example access none: refused failover protocol-error", "route 3, to none: requests are refused"} {
		if !strings.Contains(plain, want) {
			t.Errorf("expected %q in the report, got:\n%s", want, plain)
		}
	}
}

// Loops and NASes are in the report.
// Rules: P31, P87, P90
func TestReportOnLoopsAndNASes(t *testing.T) {
	const more = `[[server]]
name = "ap-1"
address = "192.168.0.7"
secret = "0123456789abcdef"
nas = true
nas_identifier = ["ap one"]
[[server]]
name = "ap-2"
address = "192.168.0.8"
secret = "0123456789abcdef"
nas = true
[[route]]
operators = ["wbaid:*", "wbaid:EXAMPLE:US"]
packets = ["coa", "accounting"]
servers = ["ap-1", "ap-2"]
on_unreachable = "protocol-error"
[[route]]
realms = ["aps.example"]
packets = ["disconnect"]
servers = ["ap-1"]
[[route]]
realms = ["mixed.example"]
packets = ["disconnect"]
servers = ["ap-1", "a"]
[routing]
on_unroutable = "protocol-error"
realm_formats = ["suffix", "machine", "prefix"]
loop_marker_secret = "shared-by-replicas"
`
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers+more)
	out := reportOf(t, file)
	plain := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"* (default) accounting a 127.0.0.1:1813 failover silent wbaid:EXAMPLE:US coa ap-1 192.168.0.7:3799, ap-2 192.168.0.8:3799 failover silent wbaid:* coa",
		"An Accounting-Request likewise: protocol-error",
		"The realm of a User-Name: user@realm, then host/name.realm, then REALM\\user",
		"refused; recognized by a Proxy-State that all gateways with this loop_marker_secret know",
		`a NAS: it gets the CoA and Disconnect that are for "ap one", 192.168.0.7, without Operator-Name`,
		"a NAS: it gets the CoA and Disconnect that are for 192.168.0.8, without",
		"CoA and Disconnect go to the NAS that they name those that name no NAS get a NAK with Error-Cause 402 those that name another NAS get a NAK with Error-Cause 403",
		"CoA and Disconnect go to the NAS that they name those that name no NAS go to ap-1, too those that name another NAS get a NAK with Error-Cause 403",
		"CoA and Disconnect go to the NAS that they name all other CoA and Disconnect go to a",
		"given up: an Accounting-Request gets a Protocol-Error, the others get no answer",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("expected %q, got\n%s", want, out)
		}
	}
	if strings.Contains(out, "shared-by-replicas") {
		t.Error("the secret is printed")
	}
	_, file = gatewaytest.Dir(t, gatewaytest.TwoServers+"[routing]\nloop_marker = false\n")
	if out := reportOf(t, file); !strings.Contains(out, "not looked for (loop_marker is false)") {
		t.Errorf("expected that loops are not looked for, got\n%s", out)
	}
}
