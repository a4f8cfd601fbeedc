package dtls

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// A client's max_connections holds for its sessions over both transports together: the second is
// refused, whichever it is, and gets in when the first has ended.
// Rules: DT12
func TestLimitForBothTransports(t *testing.T) {
	g := newGateway(t)
	over := map[string][]string{"TLS": {"-address", g.tls, "-radius-version", "1.0"}, "DTLS": {"-address", g.dtls, "-dtls"}}
	for _, c := range []struct{ first, second string }{{"TLS", "DTLS"}, {"DTLS", "TLS"}} {
		t.Run(c.first+" first", func(t *testing.T) {
			closed := g.Output().Count("closed", "client=single")
			first := listen(t, "single", over[c.first]...)
			second := append([]string{"status"}, over[c.second]...)
			refused := g.Output().Count("refused", "result=too_many")
			expect(t, runProbe("single", second...), 1, "the server closed the connection")
			if !testbed.Eventually(patience, func() bool { return g.Output().Count("refused", "result=too_many") == refused+1 }) {
				t.Error("the log has not one line about a session that is refused")
			}
			first.Signal(os.Interrupt)
			first.expectEnd(t, 0)
			if !testbed.Eventually(patience, func() bool { return g.Output().Count("closed", "client=single") > closed }) {
				t.Fatal("the gateway does not notice that the first session has ended")
			}
			expect(t, runProbe("single", second...), 0, "verified Access-Accept")
		})
	}
}

// When a reload has a list that names a client's certificate, its session is closed, and the
// client gets none again. Others are left alone.
// Rules: DT2, DT12
func TestRevokedByAReload(t *testing.T) {
	list := filepath.Join(t.TempDir(), "crl.der")
	revoke(t, list)
	g := startGateway(t, fmt.Sprintf("crl = [%q]", list), shared.freeradius.Auth, shared.freeradius.Acct)
	revoked := listen(t, "nas", "-dtls", "-address", g.dtls)
	other := listen(t, "client", "-dtls", "-address", g.dtls)
	revoke(t, list, "nas")
	g.Reload()
	revoked.expectEnd(t, 1, "the gateway closed the connection")
	g.Says("session closed", "client=nas", "reason=certificate_revoked")
	expect(t, runProbe("nas", "status", "-dtls", "-address", g.dtls), 1, "the server refused the client certificate")
	g.Says("session refused", "result=revoked_certificate")
	expect(t, runProbe("client", "status", "-dtls", "-address", g.dtls), 0, "verified Access-Accept")
	if err := other.Alive(); err != nil {
		t.Errorf("the session of another client: %v", err)
	}
}

// revoke writes the CA's list, which names the certificates of some clients.
func revoke(t *testing.T, file string, clients ...string) {
	t.Helper()
	entries, err := certs.WriteDir(inDir("certs"), certs.DirOptions{Clients: clients})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := certs.LoadSigner(inDir("certs/ca.pem"), inDir("certs/ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	var pairs []*certs.Pair
	for _, e := range entries[2:] {
		pairs = append(pairs, e.Pair)
	}
	der, err := certstest.CRL(ca, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), pairs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A request that is outstanding at SIGTERM gets its answer; then the session is closed, and the
// gateway ends.
// Rules: DT12
func TestAnswerAfterSIGTERM(t *testing.T) {
	server := listenUDP(t)
	g := startGateway(t, "", portOf(server), shared.freeradius.Acct)
	login := make(chan testbed.Result)
	go func() {
		login <- runProbe("client", "access", "-user", "bob", "-password", "hello", "-dtls", "-address", g.dtls)
	}()
	server.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	n, from, err := server.ReadFromUDP(b)
	if err != nil {
		t.Fatalf("the server gets no request: %v", err)
	}
	g.Signal(syscall.SIGTERM)
	g.Says("msg=draining")
	answer(t, server, from, b[:n])
	expect(t, <-login, 0, "verified Access-Accept")
	select {
	case <-g.Exited():
		if g.Err() != nil {
			t.Errorf("the gateway ends with %v, expected status 0", g.Err())
		}
	case <-time.After(patience):
		t.Error("the gateway does not end")
	}
	g.Says("session closed", "client=client")
}

// answer accepts a request, with its Proxy-State.
func answer(t *testing.T, server *net.UDPConn, to *net.UDPAddr, request []byte) {
	t.Helper()
	p, err := radius.Parse(request, []byte(udpSecret))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Response(radius.CodeAccessAccept)
	probe.AddMessageAuthenticator(r)
	for _, a := range p.Attributes {
		if a.Type == 33 { // Proxy-State (RFC 2865 §5.33)
			r.Attributes = append(r.Attributes, a)
		}
	}
	octets, err := probe.Sign(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WriteToUDP(octets, to); err != nil {
		t.Fatal(err)
	}
}
