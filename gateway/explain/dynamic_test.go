package explain

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// dynamicConfig follows gatewaytest.TwoServers with two clients that are sent CoA.
const dynamicConfig = `
[[rule]]
name = "old NAS"
packets = ["coa"]
remove = ["Reply-Message"]
[routing]
require_event_timestamp = true
[dynamic_authorization]
address = ["127.0.0.1:3800", "[::1]:3800"]
timeout = "5s"
[[dynamic_authorization.sender]]
name = "portal"
networks = ["192.0.2.53", "2001:db8::/32"]
secret = "fedcba9876543210"
[[client]]
name = "aps"
san_dns = ["*.ap.example"]
reverse_coa = true
nas_identifier = ["ap-7", "AP 8"]
operator_name = ["example.org", "wbaid:*"]
rules_reverse_request = ["old NAS"]
source = "127.0.0.7"
[[client]]
name = "more"
san_uri = ["urn:example:more"]
reverse_coa = true
source_pool = "127.1.0.0/16"
`

// The report says who may send CoA and Disconnect, and to which clients they go.
// Rules: RC1, RC3
func TestDynamicAuthorizationIsReported(t *testing.T) {
	text := strings.Replace(gatewaytest.TwoServers, "[[client]]\nname = \"rest\"\n", "", 1) + dynamicConfig
	_, file := gatewaytest.Dir(t, text)
	out := reportOf(t, file)
	const want = `
Dynamic authorization: CoA and Disconnect for clients, over UDP
  address                127.0.0.1:3800, [::1]:3800
  may send               server a, from 127.0.0.1
  may send               server b, from ::1
  may send               sender portal, from 192.0.2.53/32 or 2001:db8::/32
  Message-Authenticator  verified where there is one
  Event-Timestamp        at most 5m0s from now, required
  sent to the client     once; without an answer within 5s the sender gets none
  learned                at most 500000 sessions and names of NASes, each for 24h0m0s after it was last seen

Clients that are sent CoA and Disconnect
  name  NAS             operator              source
  aps   "ap-7", "AP 8"  example.org, wbaid:*  127.0.0.7
  more  as learned      -                     127.1.0.0/16, by the certificate's first name
`
	if !strings.Contains(out, want) {
		t.Errorf("expected\n%s\nin\n%s", want, out)
	}
	const rules = "\nAttribute rules of CoA and Disconnect that are sent to a client, and of its answers\n  requests to client \"aps\"\n    old NAS: "
	if !strings.Contains(out, rules) || strings.Contains(out, "\nAttribute rules: requests pass") {
		t.Errorf("expected only the rules\n%s\nin\n%s", rules, out)
	}
	if strings.Contains(out, "fedcba") || strings.Contains(out, "Error-Cause 502") {
		t.Errorf("expected no secret, and no word of a NAK, in\n%s", out)
	}
}

// Without addresses there is nothing to say; without clients there is nobody to send to.
func TestNoDynamicAuthorization(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers)
	if out := reportOf(t, file); strings.Contains(out, "Dynamic authorization") || strings.Contains(out, "Attribute rules") {
		t.Errorf("expected nothing about dynamic authorization, got\n%s", out)
	}
	cfg := &config.Config{Clients: []config.Client{{Name: "c"}}, Servers: []config.Server{{Name: "s", Address: "radius.example"}, {Name: "t", Address: "gone.example"}}}
	cfg.DynamicAuthorization = config.DynamicAuthorization{Address: []netip.AddrPort{netip.MustParseAddrPort("[::]:3799")}, Timeout: time.Second, RequireMessageAuthenticator: true}
	found := names{
		"radius.example": {list: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}},
		"gone.example":   {err: errors.New("no such host")},
	}
	var b bytes.Buffer
	printDynamic(&b, cfg, found)
	out := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"server s, from radius.example (192.0.2.1, 2001:db8::1 now)", "server t, from gone.example, which has no address now",
		"Message-Authenticator required", "Event-Timestamp not checked where there is one",
		"no client is sent them: every request gets a NAK with Error-Cause 502",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("expected %q, got\n%s", want, b.String())
		}
	}
}
