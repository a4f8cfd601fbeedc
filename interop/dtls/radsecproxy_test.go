package dtls

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// radsecproxyConf takes: its UDP port for the NAS, its UDP port towards the gateway, the
// directory of the certificates, the NAS's secret, the gateway's port.
const radsecproxyConf = `
ListenUDP 127.0.0.1:%[1]d
SourceDTLS 127.0.0.1:%[2]d
LogLevel 2
tls default {
	CACertificateFile %[3]s/ca.pem
	CertificateFile %[3]s/client.pem
	CertificateKeyFile %[3]s/client.key
}
client nas {
	host 127.0.0.1
	type udp
	secret %[4]s
}
server gateway {
	host 127.0.0.1
	port %[5]s
	type dtls
	secret radius/dtls
	retryInterval 1
	retryCount 10
}
realm * {
	server gateway
	accountingServer gateway
}
`

// radsecproxy is one that has a gateway as its home server over DTLS. Started again, it has the
// same ports.
type radsecproxy struct {
	*process.Process
	t    *testing.T
	file string
	nas  int // its UDP port for a NAS
}

// startRadsecproxy runs radsecproxy, until the test ends, and waits until it is connected.
func startRadsecproxy(t *testing.T, gateway string) *radsecproxy {
	t.Helper()
	r := &radsecproxy{t: t, file: filepath.Join(t.TempDir(), "radsecproxy.conf")}
	list, err := ports.UDP(2)
	if err != nil {
		t.Fatal(err)
	}
	r.nas = list[0]
	_, port, err := net.SplitHostPort(gateway)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(radsecproxyConf, r.nas, list[1], inDir("certs"), nasSecret, port)
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	t.Cleanup(func() { r.Kill() })
	return r
}

func (r *radsecproxy) start() {
	r.t.Helper()
	var err error
	if r.Process, err = process.Start(exec.Command("radsecproxy", "-f", "-c", r.file)); err != nil {
		r.t.Fatal(err)
	}
	if err := r.Await("DTLS connection to gateway", patience); err != nil {
		r.t.Fatalf("radsecproxy is not connected: %v", err)
	}
}

// radclient sends attributes, one a line, and waits for the answer.
func (r *radsecproxy) radclient(kind, attributes string) testbed.Result {
	cmd := exec.Command("radclient", "-x", "-r", "1", "-t", "20", fmt.Sprintf("127.0.0.1:%d", r.nas), kind, nasSecret)
	cmd.Stdin = strings.NewReader(attributes)
	return testbed.Run(patience, cmd)
}

// eapolTest runs one conversation, which must succeed with the right keys. network is the body of
// wpa_supplicant's network block.
func (r *radsecproxy) eapolTest(network ...string) (output string) {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "eapol.conf")
	text := "network={\neapol_flags=0\nkey_mgmt=WPA-EAP\nidentity=\"bob\"\n" + strings.Join(network, "\n") + "\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	got := testbed.Run(patience, exec.Command("eapol_test", "-c", file, "-a", "127.0.0.1", "-p", fmt.Sprint(r.nas), "-s", nasSecret, "-t", "25"))
	end := testbed.Result{Output: process.LastLines(got.Output, 20), Status: got.Status}
	expect(r.t, end, 0, "SUCCESS", "MPPE keys OK: 1  mismatch: 0")
	return got.Output
}

// peap is PEAP with MS-CHAPv2, as wpa_supplicant configures it.
func peap() []string {
	return []string{"eap=PEAP", `anonymous_identity="anonymous"`, `password="hello"`, `phase2="auth=MSCHAPV2"`, fmt.Sprintf("ca_cert=%q", inDir("freeradius/certs/eap-ca.pem"))}
}

// radclient, eapol_test → radsecproxy → gateway → FreeRADIUS: a NAS's passwords, EAP with the keys
// in the Accept, accounting. A certificate of 4,000 octets is in two packets of EAP-TLS, of which
// one is almost as long as RADIUS allows.
// Rules: DT1, DT2, DT3, DT4, P145
func TestRadsecproxy(t *testing.T) {
	r := startRadsecproxy(t, newGateway(t).dtls)
	for _, c := range []struct {
		password string
		status   int
		want     string
	}{{"hello", 0, "Received Access-Accept"}, {"wrong", 1, "Received Access-Reject"}} {
		expect(t, r.radclient("auth", fmt.Sprintf("User-Name = bob\nUser-Password = %q\n", c.password)), c.status, c.want)
	}
	r.eapolTest(peap()...)

	certificate, key, err := testbed.LargeCertificate(t.TempDir(), inDir("freeradius/certs/eap-ca.pem"), inDir("freeradius/certs/eap-ca.key"), 75)
	if err != nil {
		t.Fatal(err)
	}
	printed := r.eapolTest("eap=TLS", "fragment_size=3800", fmt.Sprintf("ca_cert=%q", inDir("freeradius/certs/eap-ca.pem")),
		fmt.Sprintf("client_cert=%q", certificate), fmt.Sprintf("private_key=%q", key))
	if !strings.Contains(printed, "more fragments will follow") {
		t.Error("eapol_test sent its certificate in one packet")
	}
	for _, record := range []string{"Start", "Interim-Update", "Stop"} {
		session := rand.Text()
		expect(t, r.radclient("acct", fmt.Sprintf("User-Name = bob\nAcct-Status-Type = %s\nAcct-Session-Id = %s\n", record, session)), 0, "Received Accounting-Response")
		expectRecord(t, session, record)
	}
}

// expectRecord expects one record of a session in FreeRADIUS's detail file. FreeRADIUS writes a
// record before it answers.
func expectRecord(t *testing.T, session, record string) {
	t.Helper()
	detail, err := os.ReadFile(inDir("freeradius/log/detail"))
	if err != nil {
		t.Fatal(err)
	}
	for entry := range strings.SplitSeq(string(detail), "\n\n") {
		if strings.Contains(entry, fmt.Sprintf("Acct-Session-Id = %q", session)) && !strings.Contains(entry, "Acct-Status-Type = "+record+"\n") {
			t.Errorf("expected a record %s of session %s, got:\n%s", record, session, entry)
		}
	}
	if n := strings.Count(string(detail), fmt.Sprintf("Acct-Session-Id = %q", session)); n != 1 {
		t.Errorf("%d records of session %s, expected one", n, session)
	}
}

// On a path that loses a fifth of the datagrams, doubles some and delays some behind others, PEAP
// succeeds: what is lost is sent again, and what the gateway has answered already is answered
// again, from its duplicate cache. The handshake is on a good path: radsecproxy does not send its
// flights again (RFC 6347 §4.2.4), and gives up after 5 s. TestOpenSSLOnABadPath has one with
// faults.
// Rules: DT8
func TestBadPath(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	p := newPath(t, g.dtls)
	p.set(true)
	r := startRadsecproxy(t, p.address())
	p.set(false)
	r.eapolTest(peap()...)
	p.expectFaults(t)
	g.Says("fate=duplicate_answered")
}

// radsecproxy that is killed, and comes back at the same port with a new handshake, gets in at
// once: the session that it had ends when the new one has begun.
// Rules: DT6
func TestRadsecproxyComesBack(t *testing.T) {
	g := newGateway(t)
	r := startRadsecproxy(t, g.dtls)
	login := func() {
		t.Helper()
		expect(t, r.radclient("auth", "User-Name = bob\nUser-Password = hello\n"), 0, "Received Access-Accept")
	}
	login()
	r.Kill() // nothing is sent at its end
	r.start()
	login()
	g.Says("session closed", "client=client", "connection=1", "the client has started another session from the same address")
	if n := g.Output().Count("session closed", "connection=2"); n != 0 {
		t.Error("the second session is closed, too")
	}
}
