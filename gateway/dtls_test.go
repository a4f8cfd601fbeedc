package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"

	"radsec-gw/certs/certstest"
	"radsec-gw/dtlsfront"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// startDTLS starts the gateway of the federations whose campus may use DTLS, too, at a listener
// for that. more are further lines of the listener.
func startDTLS(t *testing.T, more string, change func(string) string) *federations {
	t.Helper()
	f := startFederations(t, func(s string) string {
		s = strings.Replace(s, "[[client]]\nname = \"campus\"\n", "[[listener]]\nname = \"udp\"\ntransport = \"dtls\"\naddress = [\"127.0.0.1:0\"]\n"+more+
			"[[client]]\nname = \"campus\"\ntransports = [\"tls\", \"dtls\"]\n", 1)
		if change != nil {
			s = change(s)
		}
		return s
	})
	f.addresses["udp"] = f.udp()
	return f
}

// udp returns the address of the listener for DTLS.
func (f *federations) udp() string {
	f.t.Helper()
	s := f.g.current.Load().fronts.named("udp")
	if s == nil || len(s.server.Addrs()) == 0 {
		f.t.Fatal("there is no listener for DTLS")
	}
	return s.server.Addrs()[0].String()
}

// probeConfig is a login over DTLS with the client's certificate of a federation.
func (f *federations) probeConfig(client string) probe.Config {
	dir := filepath.Join(f.dir, client)
	return probe.Config{Kind: probe.Access, DTLS: true, Address: f.udp(), ServerName: "campus.example.org", CAFile: filepath.Join(f.dir, "campus", "ca.pem"),
		CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"), User: "alice@example.org", Password: "good", Timeout: gatewaytest.Patience}
}

// over opens a session of the campus over DTLS, which logs a user in.
func (f *federations) over() *probe.Conn {
	f.t.Helper()
	c, _, err := probe.Open(f.t.Context(), f.probeConfig("campus"), io.Discard)
	if err != nil {
		f.t.Fatalf("%v; the log:\n%s", err, f.log)
	}
	f.t.Cleanup(func() { c.Close() })
	return c
}

// A client logs in, accounts and asks for the status over DTLS, with the secret of RFC 7360 or its
// own. It counts, and is shown, like one over TLS.
// Rules: DT1, DT2, DT12, P145
func TestRequestsOverDTLS(t *testing.T) {
	for _, secret := range []string{"", "of-its-own"} {
		f := startDTLS(t, "", func(s string) string {
			if secret == "" {
				return s
			}
			return strings.Replace(s, "transports = [\"tls\", \"dtls\"]\n", "transports = [\"tls\", \"dtls\"]\nsecret = \""+secret+"\"\n", 1)
		})
		for _, kind := range []probe.Kind{probe.Status, probe.Access, probe.Accounting} {
			cfg := f.probeConfig("campus")
			cfg.Kind, cfg.Secret = kind, secret
			if r, err := probe.Run(t.Context(), cfg, io.Discard); err != nil || !r.Verified() {
				t.Errorf("secret %q, %v: %v; the log:\n%s", secret, kind, err, f.log)
			}
		}
		cfg := f.probeConfig("campus")
		cfg.Secret, cfg.Timeout = "wrong", 500*time.Millisecond
		if _, err := probe.Run(t.Context(), cfg, io.Discard); err == nil {
			t.Error("a request with another secret is answered")
		}
		f.awaitMetrics(`radsec_gw_listener_handshakes_total{listener_name="udp",result="ok"} 4`+"\n", true)
		f.awaitMetrics(`radsec_gw_tls_client_connections_total{client="campus"} 4`+"\n", true)
		f.awaitMetrics(`radsec_gw_requests_total{client="campus",fate="relayed",kind="access"} 1`+"\n", true)
		if s := statusOf(t, f.g); len(s.Listeners) != 4 || s.Listeners[3].Transport != "dtls" || s.Listeners[3].Addresses[0] != f.addresses["udp"] {
			t.Errorf("the status has the listeners %+v", s.Listeners)
		}
	}
}

// A client of another CA, and one that may use TLS only, get no session.
// Rules: DT1, DT2
func TestWhoIsRefusedOverDTLS(t *testing.T) {
	f := startDTLS(t, "", nil)
	try := func(client, result string) {
		t.Helper()
		cfg := f.probeConfig(client)
		cfg.Timeout = 2 * time.Second
		if _, err := probe.Run(t.Context(), cfg, io.Discard); err == nil {
			t.Errorf("the client of %s logs in over DTLS", client)
		}
		f.awaitMetrics(fmt.Sprintf("radsec_gw_listener_handshakes_total{listener_name=\"udp\",result=%q} 1\n", result), true)
	}
	try("eduroam", "untrusted_certificate")
	f.withoutCertificate()
	f.awaitMetrics(`radsec_gw_listener_handshakes_total{listener_name="udp",result="no_certificate"} 1`+"\n", true)
	f.replace("transports = [\"tls\", \"dtls\"]\n", "")
	if cfg := f.probeConfig("campus"); true {
		cfg.Timeout = time.Second
		if _, err := probe.Run(t.Context(), cfg, io.Discard); err == nil {
			t.Error("a client logs in over DTLS that may use TLS only")
		}
		gatewaytest.Await(t, f.log, "this listener accepts no client: see clients of the listener, and transports of each [[client]]")
	}
	f.good("campus")
}

// withoutCertificate tries a handshake without a certificate.
func (f *federations) withoutCertificate() {
	f.t.Helper()
	socket := need(net.ListenPacket("udp4", "127.0.0.1:0"))
	defer socket.Close()
	c := need(dtls.Client(socket, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(f.udp())), dtls.WithInsecureSkipVerify(true), dtls.WithMaxVersion(protocol.Version1_2)))
	defer c.Close()
	ctx, cancel := context.WithTimeout(f.t.Context(), gatewaytest.Patience)
	defer cancel()
	if err := c.HandshakeContext(ctx); err == nil {
		f.t.Error("a client without a certificate gets a session")
	}
}

// The limits of a client hold for both transports together, and one that exceeds its rate over DTLS
// loses packets, not its session.
// Rules: DT12
func TestLimitsHoldOverBothTransports(t *testing.T) {
	f := startDTLS(t, "", func(s string) string {
		return strings.Replace(s, "transports = [\"tls\", \"dtls\"]\n", "transports = [\"tls\", \"dtls\"]\nmax_connections = 1\n", 1)
	})
	session := f.over()
	if c, _, err := f.dial("campus", "campus"); err == nil && c.read() != nil {
		t.Error("a second connection, over TLS, is served")
	}
	gatewaytest.Await(t, f.log, "client campus has 1 connections, which is its limit (max_connections)")
	session.Close()
	f.awaitMetrics(`radsec_gw_tls_client_connections{client="campus"} 0`+"\n", true)
	f.good("campus")
}

// A session over DTLS survives a reload that still allows it, and ends with one that revokes its
// certificate.
// Rules: DT2, DT12
func TestReloadChecksSessionsOverDTLS(t *testing.T) {
	f := startDTLS(t, "idle_timeout = \"5m\"\n", nil)
	f.over()
	f.replace("idle_timeout = \"5m\"", "idle_timeout = \"6m\"")
	f.awaitMetrics(`radsec_gw_tls_client_connections{client="campus"} 1`+"\n", true)
	list := need(certstest.CRL(f.cas["campus"], time.Now(), time.Now().Add(time.Hour), f.clients["campus"]))
	gatewaytest.WriteFile(t, filepath.Join(f.dir, "ca.crl"), list)
	f.replace("[listen]\n", "[listen]\ncrl = [\"ca.crl\"]\n")
	f.awaitMetrics(`radsec_gw_tls_client_connections{client="campus"} 0`+"\n", true)
	f.awaitMetrics(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="certificate_revoked"} 1`+"\n", true)
}

// Listeners for DTLS come and go with reloads, and the port that one has left can be taken again.
// Rules: DT12
func TestDTLSListenersChangeAtAReload(t *testing.T) {
	f := startDTLS(t, "", nil)
	f.over().Close()
	f.awaitMetrics(`radsec_gw_tls_client_connections{client="campus"} 0`+"\n", true)
	fixed := gatewaytest.UnusedAddress(t)
	f.replace("transport = \"dtls\"\naddress = [\"127.0.0.1:0\"]", fmt.Sprintf("transport = \"dtls\"\naddress = [%q]", fixed))
	if got := f.udp(); got != fixed {
		t.Errorf("the listener is at %s, expected %s", got, fixed)
	}
	f.over()
	text := string(need(os.ReadFile(f.file)))
	table := fmt.Sprintf("[[listener]]\nname = \"udp\"\ntransport = \"dtls\"\naddress = [%q]\n", fixed)
	if !strings.Contains(text, table) {
		t.Fatalf("the configuration lacks %q", table)
	}
	f.replace(table, "")
	gatewaytest.Await(t, f.log, "its listener was removed from the configuration")
	f.awaitMetrics(`listener_name="udp"`, false)
	f.replace("[[client]]\nname = \"campus\"", table+"[[client]]\nname = \"campus\"")
	f.over()
}

// At the end a session over DTLS gets its answer, and then close_notify.
// Rules: DT12
func TestDrainOverDTLS(t *testing.T) {
	f := startDTLS(t, "", nil)
	c := f.over()
	f.g.Drain()
	ended := make(chan error, 1)
	go func() { ended <- f.g.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(gatewaytest.Patience):
		t.Fatal("the gateway does not end")
	}
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Patience)
	defer cancel()
	if err := c.Listen(ctx, probe.ListenOptions{}); err == nil {
		t.Error("the session is still open")
	}
}

// A port that another program has, and one of this gateway for CoA, are named.
func TestDTLSPortInUse(t *testing.T) {
	f := startDTLS(t, "", nil)
	busy := need(net.ListenPacket("udp4", "127.0.0.1:0"))
	defer busy.Close()
	text := string(need(os.ReadFile(f.file)))
	gatewaytest.WriteFile(t, f.file, []byte(strings.Replace(text, "transport = \"dtls\"\naddress = [\"127.0.0.1:0\"]", fmt.Sprintf("transport = \"dtls\"\naddress = [%q]", busy.LocalAddr()), 1)))
	err := f.g.Reload()
	if err == nil || !strings.Contains(err.Error(), `address of [[listener]] "udp": cannot listen on `+busy.LocalAddr().String()) {
		t.Errorf("expected the listener and its address, got %v", err)
	}
	f.over()
}

// What keeps a port for DTLS busy is named by what can be the cause: at the start another program, at
// a reload also another listener, or sessions that have not ended.
// Rules: TR5
func TestHintAboutABusyPort(t *testing.T) {
	a := netip.MustParseAddrPort("127.0.0.1:2083")
	busy := fmt.Errorf("bind: %w", syscall.EADDRINUSE)
	used := need(dtlsfront.Listen(netip.MustParseAddrPort("127.0.0.1:0")))
	defer used.Close()
	for name, c := range map[string]struct {
		address netip.AddrPort
		have    []frontSockets
		want    string
	}{
		"start":            {a, nil, "another program uses the port, perhaps another gateway"},
		"reload":           {a, []frontSockets{{name: "listen"}}, "request the reload again then"},
		"another listener": {used.Address, []frontSockets{{name: "l", datagrams: []*dtlsfront.Listener{used}}}, "another listener of this gateway has the port"},
	} {
		if got := datagramHint(busy, c.address, c.have); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, expected %q", name, got, c.want)
		}
	}
}
