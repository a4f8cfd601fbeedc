package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/probe"
)

// hostapdConf takes: UDP port for CoA and Disconnect, secret, whether its requests have to be signed.
// There is no radio, and nobody logs in.
const hostapdConf = `
driver=none
interface=nas0
nas_identifier=hostapd
own_ip_addr=127.0.0.1
radius_das_port=%d
radius_das_client=127.0.0.1 %s
radius_das_time_window=300
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=%d
`

// probe → gateway → hostapd, which is a NAS of its own: it signs its answers over the request's
// authenticator where FreeRADIUS uses zero octets, puts an Event-Timestamp into them, and refuses requests
// with any attribute that it does not know, Proxy-State among them.
// Fault P-10.
// Rules: P18, P52, P90, P91, P92, C5
func TestHostapdAsNAS(t *testing.T) {
	for version, proof := range provenBy {
		t.Run("RADIUS "+version, func(t *testing.T) {
			signed := 0 // over RADIUS/1.1 nothing is signed, and the NAS gets the same
			if version == "1.0" {
				signed = 1
			}
			b, hostapd := startHostapd(t, signed)
			for _, c := range []struct {
				name       string
				kind       probe.Kind
				attributes []string
				want       []string
			}{
				{"Disconnect of a session that is not there", probe.Disconnect, []string{"Acct-Session-Id=none"}, []string{"received Disconnect-NAK", "Error-Cause = 503"}},
				{"Disconnect with what finds no session", probe.Disconnect, []string{"NAS-Identifier=hostapd"}, []string{"received Disconnect-NAK", "Error-Cause = 503"}},
				{"Disconnect with an attribute that it does not know", probe.Disconnect, []string{"Filter-Id=none"}, []string{"received Disconnect-NAK", "Error-Cause = 401"}},
				{"CoA", probe.CoA, nil, []string{"received CoA-NAK", "Error-Cause = 402"}},
			} {
				t.Run(c.name, func(t *testing.T) {
					cfg := probe.Config{Kind: c.kind, User: "bob", Version: version, Attributes: append([]string{eventTimestamp(0)}, c.attributes...)}
					expect(t, b.probe(cfg), 1, slices.Concat(c.want, proof)...)
					if t.Failed() {
						t.Logf("last of what hostapd printed:\n%s", process.LastLines(hostapd.Printed(), 20))
					}
				})
			}
		})
	}
}

// startHostapd starts a NAS, and a gateway in front of it, until the test ends.
func startHostapd(t *testing.T, signed int) (*bed, *process.Process) {
	t.Helper()
	b := &bed{dir: t.TempDir()}
	if err := b.ports.choose(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dir, "hostapd.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, hostapdConf, b.ports.coa, coaSecret, signed), 0o600); err != nil {
		t.Fatal(err)
	}
	hostapd, err := start(nil, "hostapd", "-d", file)
	stopAtEnd(t, hostapd)
	if err == nil {
		err = hostapd.Await("AP-ENABLED", patience)
	}
	if err == nil {
		config := fmt.Sprintf(oneServerConf, "hostapd", b.ports.radsec, b.ports.auth, b.ports.acct, b.ports.coa, coaSecret, b.ports.metrics)
		config = strings.Replace(config, `health    = "none"`, "health    = \"none\"\nnas       = true\nnas_identifier = [\"hostapd\"]", 1)
		err = b.serve(config)
		stopAtEnd(t, b.gateway)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, hostapd
}
