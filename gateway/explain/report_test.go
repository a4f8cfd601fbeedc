package explain

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

// planOf reads a configuration that must have no mistakes.
func planOf(t *testing.T, file string) *gateway.Plan {
	t.Helper()
	p, err := gateway.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reportOf is the report on a configuration that must have no mistakes.
func reportOf(t *testing.T, file string) string {
	t.Helper()
	var out bytes.Buffer
	Report(&out, planOf(t, file))
	return out.String()
}

// reportLines are in the report on gatewaytest.TwoServers, in this order.
var reportLines = []string{
	"c.toml has no mistakes.\n",
	"address              0.0.0.0:2083, TLS 1.2 and newer\n",
	"for localhost, radsec-server, 127.0.0.1, ::1, ECDSA key, until ",
	"client certificates  required\n",
	"campus  from 192.0.2.0/24 or ::1/128, named *.campus.example  access, coa\n",
	"pinned  fingerprint sha256:12:34:56:78:…                      access, accounting, coa, disconnect\n",
	"rest    any certificate of the client CA",
	"realm            packets          servers                         balance   unreachable\n",
	"(no realm)       access           a 127.0.0.1:1812, b [::1]:11812  sticky    silent\n",
	"(no realm)       coa, disconnect  a 127.0.0.1:3799, b [::1]:3799   sticky    silent\n",
	"example.org      access",
	"*.b.example.org  access",
	"*.example.org    access           a 127.0.0.1:1812                 failover  reject\n",
	"*.example.org    accounting       a 127.0.0.1:1813                 failover  silent\n",
	"~^lab            access",
	"* (default)      access",
	"An Access-Request that no route matches, or that its client may not send: reject\n",
	"An Accounting-Request likewise: silent\n",
	"In RADIUS/1.1 both get a Protocol-Error instead; CoA and Disconnect get a NAK\n",
	"The realm of a User-Name: user@realm\n",
	"Requests that a server sends back: refused; recognized by a Proxy-State that only this process knows\n",
	"Servers: what happens when one does not reply\n",
	"a request is sent at 0s, 2s, 6s, 14s (each wait ±10 %), and given up at 30s\n",
	"auth, acct, checked with Status-Server:\n",
	"suspect when 3 requests fell due again, after 2s, with no reply to anything since\n",
	"while it is suspect, it is checked every 3s, and new requests avoid it\n",
	"down after 3 checks without a reply, about 11s after it became silent\n",
	"after it was suspect, up again after one verified reply\n",
	"after it was down, up again after 3 replies\n",
	"failing after 5 overdue requests, with none answered since, although it answers checks\n",
	"while it is failing, new requests avoid it, and a request tries it after 3s, 6s and every 12s\n",
	"after it was failing, up again after three answered requests\n",
	"a request is overdue when it has waited four times as long as the slowest of the recent replies took\n",
	"on a route whose patience is above 10s, it is overdue when it has waited as long as the patience, or was given up\n",
	"while it is up, it is checked after one request without a reply, or when nothing was received from it for 30s\n",
	"coa, never checked:\n",
	"down when 3 requests fell due again, after 2s, with no reply to anything since\n",
	"while it is down, a request tries it after 3s, 6s and every 12s\n",
	"up again after 3 replies in a row\n",
	"Groups: which server gets a request\n",
	"route 1, to a\n",
	"there is no other server\n",
	"given up: an Access-Request gets an Access-Reject, the others get no answer\n",
	"route 2, to a, b\n",
	"sticky: by station and user, of those that are up; the same on every gateway with these servers\n",
	"if none is up, likewise among those that are suspect, then failing, then down\n",
	"a request with State goes to the server that issued it, unless that is down\n",
	"a request moves on to the next server:\n",
	"at once when its server is down or failing, cannot be reached",
	"nothing at all was received from its server since it was sent: from a after 2 transmissions, 6s (5.22s to 6.82s); from b after 2 transmissions, 6s (5.22s to 6.82s)\n",
	"its server answers other requests or checks, and not this request: after 10s (patience)\n",
	"with a patience below the time that users need to confirm a login, two servers ask them",
	"CoA and Disconnect do not move on",
	"given up: the client gets no answer\n",
	"Warnings:\n",
	`c.toml:13: client[2]: client "rest" has no condition`,
	`c.toml:23: server[1].secret: server "b" has a secret of 12 bytes`,
}

// The report on a configuration.
func TestReport(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers)
	out := reportOf(t, file)
	out = strings.ReplaceAll(out, file, "c.toml")
	rest := out
	for _, want := range reportLines {
		want = strings.Join(strings.Fields(want), " ")
		i := strings.Index(strings.Join(strings.Fields(rest), " "), want)
		if i < 0 {
			t.Fatalf("expected %q after those before it, in\n%s", want, out)
		}
		rest = strings.Join(strings.Fields(rest), " ")[i+len(want):]
	}
	if strings.Contains(out, "0123456789ab") {
		t.Errorf("a secret was printed:\n%s", out)
	}
}

// There are no warnings about the example once its certificates exist.
func TestReportOnTheExample(t *testing.T) {
	text, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	dir, file := gatewaytest.Dir(t, string(text))
	if err := os.Remove(filepath.Join(dir, "certs/dev/ca.key")); err != nil { // which a gateway does not have
		t.Fatal(err)
	}
	if out := reportOf(t, file); strings.Contains(out, "Warnings") {
		t.Errorf("expected no warnings about the example, got\n%s", out)
	}
}

// The whole chain is checked: what clients may refuse is a warning, the rest a note.
func TestReportOnTheChain(t *testing.T) {
	dir, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := other.Server([]string{"radsec-server"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := certs.NewCA("a stranger")
	if err != nil {
		t.Fatal(err)
	}
	gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.pem"), append(pair.CertPEM(), stranger.Pair.CertPEM()...))
	gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.key"), key)
	report, warnings, _ := strings.Cut(reportOf(t, file), "\nWarnings:\n")
	if !strings.Contains(report, "to note") || !strings.Contains(report, "CN=another CA") || !strings.Contains(report, "neither sent nor known here") {
		t.Errorf("expected a note that the issuer is unknown, got\n%s", report)
	}
	if !strings.Contains(warnings, "c.toml:3: listen.certificate: certificate 2 of the chain, of CN=a stranger") {
		t.Errorf("expected a warning about the certificate that does not belong there, got\n%s", warnings)
	}
}
