package dtls

import (
	"os/exec"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// probeCommand is radsec-gw probe with the certificate of a client.
func probeCommand(client string, args ...string) *exec.Cmd {
	return exec.Command(testbed.Program(), append([]string{"probe", "-certs", inDir("certs"), "-cert", inDir("certs/" + client + ".pem"), "-key", inDir("certs/" + client + ".key")}, args...)...)
}

// runProbe runs it to its end.
func runProbe(client string, args ...string) testbed.Result {
	return testbed.Run(patience, probeCommand(client, args...))
}

// radsec-gw probe -dtls → gateway → FreeRADIUS, with each exit status, and what it says that is
// wrong.
// Rules: DT1, DT3, DT9, P145
func TestProbe(t *testing.T) {
	g := newGateway(t)
	silent := listenUDP(t)
	closed := listenUDP(t)
	closed.Close()
	login := []string{"access", "-user", "bob", "-password"}
	for _, c := range []struct {
		name    string
		address string
		args    []string
		status  int
		want    []string
	}{
		{"status", g.dtls, []string{"status"}, 0, []string{"DTLS 1.2", "verified Access-Accept"}},
		{"access", g.dtls, append(login, "hello"), 0, []string{"verified Access-Accept", `Reply-Message = "Hello, bob"`}},
		{"Access-Reject", g.dtls, append(login, "wrong"), 1, []string{"received Access-Reject", "verified, but the answer is Access-Reject"}},
		{"hidden attributes", g.dtls, []string{"access", "-user", "enc", "-password", "hello"}, 0, []string{`Tunnel-Password:1 = "tunnel-secret-1"`, `Ascend-Send-Secret = "sixteen-octets-x"`}},
		{"accounting", g.dtls, []string{"accounting", "-user", "bob"}, 0, []string{"verified Accounting-Response"}},
		{"the secret of TLS", g.dtls, []string{"status", "-secret", "radsec"}, 1, []string{"the server closed the connection", "is -secret the one it has for this client?"}},
		{"a port where nobody listens", closed.LocalAddr().String(), []string{"status"}, 1, []string{"nothing listens there: is the gateway running, and is this its listen address?"}},
		{"a port that answers nothing", silent.LocalAddr().String(), []string{"status", "-timeout", "300ms"}, 1, []string{"no answer: does the gateway have a [[listener]] with transport = \"dtls\" at this address"}},
		{"no address", "localhost", []string{"status"}, 2, []string{"-address: expected host:port"}},
		{"RADIUS/1.1", g.dtls, []string{"status", "-radius-version", "1.1"}, 2, []string{"needs TLS 1.3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, runProbe("client", append(c.args, "-dtls", "-address", c.address)...), c.status, c.want...)
		})
	}
	g.Says("session closed", "reason=refused_packet", "client=client", "wrong Message-Authenticator")
}

// listener is a radsec-gw probe -listen.
type listener struct {
	*process.Process
	cmd *exec.Cmd
}

// listen logs in as a NAS and stays connected, until the test ends.
func listen(t *testing.T, client string, args ...string) *listener {
	t.Helper()
	return start(t, probeCommand(client, append([]string{"access", "-user", "bob", "-password", "hello", "-listen", "1m"}, args...)...))
}

// start starts a probe that plays a NAS.
func start(t *testing.T, cmd *exec.Cmd) *listener {
	t.Helper()
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if err := p.Await("waiting for CoA-Request", patience); err != nil {
		t.Fatal(err)
	}
	return &listener{p, cmd}
}

// expectEnd waits for its end, and expects an exit status and what it printed.
func (l *listener) expectEnd(t *testing.T, status int, want ...string) {
	t.Helper()
	if !testbed.Eventually(patience, func() bool { return l.Alive() != nil }) {
		t.Fatalf("the probe does not end; it printed:\n%s", l.Printed())
	}
	expect(t, testbed.Result{Output: l.Printed(), Status: l.cmd.ProcessState.ExitCode()}, status, want...)
}

// radclient sends a CoA or a Disconnect to the gateway, and waits for the answer.
func (g *gateway) radclient(kind, attributes string) testbed.Result {
	cmd := exec.Command("radclient", "-x", "-r", "1", "-t", "20", g.coa, kind, coaSecret)
	cmd.Stdin = strings.NewReader(attributes)
	return testbed.Run(patience, cmd)
}

// radclient → gateway → the DTLS session that a NAS has opened, and back: Disconnect and CoA, ACK
// and NAK. One that asks for a session of nobody reaches no NAS.
// Rules: DT12
func TestReverseCoA(t *testing.T) {
	g := newGateway(t)
	nas := func(name string, args ...string) *listener {
		return listen(t, "nas", append(args, "-dtls", "-address", g.dtls, "-attr", "NAS-Identifier="+name, "-session-id", "session of "+name)...)
	}
	acks, naks := nas("ap-1", "-count", "2"), nas("ap-2", "-count", "1", "-answer", "nak")
	expect(t, g.radclient("disconnect", `Acct-Session-Id = "session of ap-1"`), 0, "Received Disconnect-ACK")
	expect(t, g.radclient("disconnect", `NAS-Identifier = "ap-2"`), 1, "Received Disconnect-NAK", "Error-Cause = Session-Context-Not-Found")
	expect(t, g.radclient("coa", `NAS-Identifier = "ap-3"`), 1, "Received CoA-NAK", "Error-Cause = Proxy-Request-Not-Routable")
	expect(t, g.radclient("coa", "NAS-Identifier = \"ap-1\"\nSession-Timeout = 60\n"), 0, "Received CoA-ACK")
	acks.expectEnd(t, 0, `Acct-Session-Id = "session of ap-1"`, "Session-Timeout = 60", "verified all of 2 requests")
	naks.expectEnd(t, 0, "verified all of 1 requests")
}
