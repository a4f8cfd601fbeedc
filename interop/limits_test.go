package interop

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// What radsecproxy 1.9.2 does not carry, so that no other test sends it through. When a row fails,
// radsecproxy supports it now: the row's request then belongs in the tests of methods or of CoA.
func TestLimitsOfRadsecproxy(t *testing.T) {
	for _, c := range []struct{ kind, what, attributes, says string }{
		{"coa", "CoA-Request", "User-Name = bob", "ignoring"},
		{"disconnect", "Disconnect-Request", "User-Name = bob", "ignoring"},
		// It verifies over the Request Authenticator, which is computed last and over the
		// Message-Authenticator: it cannot be satisfied (RFC 3579 §3.2, RFC 2869 §5.14 have zeros there).
		{"acct", "Accounting-Request with a Message-Authenticator",
			"User-Name = bob\nAcct-Status-Type = Start\nAcct-Session-Id = limits\nMessage-Authenticator = 0x00", "message authentication failed"},
	} {
		t.Run(c.what, func(t *testing.T) {
			var p bedPorts
			if err := p.choose(); err != nil {
				t.Fatal(err)
			}
			proxy, err := radsecproxyConfig{NAS: p.nas, RadSec: shared.ports.radsec, Certs: shared.path("certs"), NASSecret: nasSecret}.start(t.TempDir())
			stopAtEnd(t, proxy)
			if err != nil {
				t.Fatal(err)
			}
			before := shared.requests(t)
			asking, err := start(nil, "sh", "-c", `printf '%s\n' "$1" | radclient -x -r 1 -t 30 "$2" "$3" "$4"`, "sh",
				c.attributes, fmt.Sprintf("127.0.0.1:%d", p.nas), c.kind, nasSecret)
			if err != nil {
				t.Fatal(err)
			}
			if err := proxy.Await(c.says, patience); err != nil {
				t.Error(err)
			}
			_ = asking.Stop(patience)
			if after := shared.requests(t); !maps.Equal(before, after) {
				t.Errorf("expected that nothing reaches the gateway, got %v after %v", after, before)
			}
		})
	}
}

// requests are the gateway's counts of requests but Status-Server, by series.
func (b *bed) requests(t *testing.T) map[string]float64 {
	all := b.counters(t)
	maps.DeleteFunc(all, func(series string, _ float64) bool {
		return !strings.HasPrefix(series, "radsec_gw_requests_total{") || strings.Contains(series, `kind="status"`)
	})
	return all
}
