package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// federations is a gateway with a listener for each of several federations, whose CAs, server
// and client certificates are in a directory each.
type federations struct {
	t    *testing.T
	g    *Gateway
	log  *process.Output
	dir  string
	file string

	addresses map[string]string // by federation
	cas       map[string]*certs.CA
	clients   map[string]*certs.Pair
}

var federationNames = []string{"campus", "eduroam", "openroaming"}

// startFederations starts a gateway whose [listen] is that of the campus. change may be nil.
func startFederations(t *testing.T, change func(string) string) *federations {
	t.Helper()
	ports := answering(t)
	f := &federations{t: t, dir: t.TempDir(), addresses: map[string]string{}, cas: map[string]*certs.CA{}, clients: map[string]*certs.Pair{}}
	text := ""
	for i, name := range federationNames {
		f.addresses[name] = gatewaytest.UnusedAddress(t)
		f.writePair(name)
		table := "[listen]\nreload_interval = \"0s\"\n"
		if i > 0 {
			table = fmt.Sprintf("[[listener]]\nname = %q\n", name)
		}
		text += table + fmt.Sprintf("address = [%q]\ncertificate = \"%[2]s/server.pem\"\nprivate_key = \"%[2]s/server.key\"\nclient_ca = \"%[2]s/ca.pem\"\nclients = [%[2]q]\n", f.addresses[name], name)
	}
	for _, name := range federationNames {
		text += fmt.Sprintf("[[client]]\nname = %q\n", name)
	}
	text += fmt.Sprintf("[[server]]\nname = \"udp\"\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = %d\nsecret = %q\nhealth = \"none\"\n"+
		"[[route]]\nrealms = [\"*\"]\nservers = [\"udp\"]\npackets = [\"access\", \"accounting\"]\n[metrics]\naddress = \"127.0.0.1:0\"\n[tap]\nsocket = \"\"\n", ports[0], ports[1], gatewaytest.Secret)
	if change != nil {
		text = change(text)
	}
	f.file = filepath.Join(f.dir, "gw.toml")
	gatewaytest.WriteFile(t, f.file, []byte(text))
	f.g, f.log = runWritten(t, planOf(t, f.file))
	return f
}

// writePair makes the certificates of a federation.
func (f *federations) writePair(name string, changes ...certs.Change) {
	f.t.Helper()
	dir := filepath.Join(f.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	ca := need(certs.NewCA(name + " CA"))
	server := need(ca.Server([]string{name + ".example.org"}, changes...))
	client := need(ca.Client(name))
	f.cas[name], f.clients[name] = ca, client
	gatewaytest.WriteFile(f.t, filepath.Join(dir, "ca.pem"), ca.CertPEM())
	for what, pair := range map[string]*certs.Pair{"server": server, "client": client} {
		gatewaytest.WriteFile(f.t, filepath.Join(dir, what+".pem"), pair.CertPEM())
		gatewaytest.WriteFile(f.t, filepath.Join(dir, what+".key"), need(pair.KeyPEM()))
	}
}

// dial connects a client of a federation to the listener of another, as radsecproxy does:
// without a name. It returns the names in the certificate that it gets.
func (f *federations) dial(client, at string) (c *testClient, names string, err error) {
	f.t.Helper()
	dir := filepath.Join(f.dir, client)
	pair := need(tls.LoadX509KeyPair(filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")))
	dialer := &net.Dialer{Timeout: gatewaytest.Patience}
	conn, err := tls.DialWithDialer(dialer, "tcp", f.addresses[at], &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &pair, nil
	}})
	if err != nil {
		return nil, "", err
	}
	f.t.Cleanup(func() { conn.Close() })
	return &testClient{f.t, conn}, strings.Join(conn.ConnectionState().PeerCertificates[0].DNSNames, " "), nil
}

// good connects a client of a federation to its own listener, and has a request answered.
func (f *federations) good(name string) *testClient {
	f.t.Helper()
	c, names, err := f.dial(name, name)
	if err != nil {
		f.t.Fatalf("a client of %s cannot connect: %v; the log:\n%s", name, err, f.log)
	}
	if names != name+".example.org" {
		f.t.Errorf("the listener of %s presents the certificate for %q", name, names)
	}
	c.good()
	return c
}

// replace changes the configuration and reloads it.
func (f *federations) replace(pairs ...string) {
	f.t.Helper()
	text := string(need(os.ReadFile(f.file)))
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			f.t.Fatalf("the configuration lacks %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	gatewaytest.WriteFile(f.t, f.file, []byte(text))
	if err := f.g.Reload(); err != nil {
		f.t.Fatal(err)
	}
}

// metrics returns what /metrics says.
func (f *federations) metrics() string {
	f.t.Helper()
	r := need(http.Get("http://" + f.g.MetricsAddr().String() + "/metrics"))
	defer r.Body.Close()
	return string(need(io.ReadAll(r.Body)))
}

// awaitMetrics waits until the metrics have a line, or, with false, have it no more.
func (f *federations) awaitMetrics(line string, want bool) {
	f.t.Helper()
	for end := time.Now().Add(gatewaytest.Patience); strings.Contains(f.metrics(), line) != want; {
		if time.Now().After(end) {
			f.t.Fatalf("expected that the metrics have %q: %v", line, want)
		}
	}
}

// Clients of each CA connect to its listener only, and get its certificate by its address, since
// they ask for no name.
// Rules: TR5, TR6, TR7
func TestEachFederationHasItsListener(t *testing.T) {
	f := startFederations(t, nil)
	for _, at := range federationNames {
		for _, client := range federationNames {
			if client == at {
				f.good(at)
				continue
			}
			if c, _, err := f.dial(client, at); err == nil {
				c.write(rawRequest(1, 7, emptyMAC, nameOf("good@example.org"), tlv(33, []byte("good")...)))
				if a := c.read(); a != nil {
					t.Errorf("a client of %s is served at the listener of %s", client, at)
				}
			}
		}
	}
	f.awaitMetrics(`radsec_gw_tls_handshakes_total{result="untrusted_certificate"} 6`+"\n", true) // counted after the line
	log := f.log.String()
	if n := strings.Count(log, "result=untrusted_certificate"); n != 6 {
		t.Errorf("%d clients of another CA were refused as such, expected 6, in\n%s", n, log)
	}
	for _, name := range federationNames[1:] {
		if n := strings.Count(log, "listener="+name); n < 3 { // it listens, and has refused two
			t.Errorf("%d lines name the listener %s", n, name)
		}
	}
	f.awaitMetrics(`radsec_gw_listener_connections{listener_name="eduroam"} 1`+"\n", true)
	f.awaitMetrics(`radsec_gw_listener_connections{listener_name="listen"} 1`+"\n", true)
	f.awaitMetrics(`radsec_gw_listener_handshakes_total{listener_name="openroaming",result="untrusted_certificate"} 2`+"\n", true)
	f.awaitMetrics(`radsec_gw_tls_handshakes_total{result="ok"} 3`+"\n", true)
	for _, name := range federationNames {
		f.awaitMetrics(fmt.Sprintf("radsec_gw_certificate_expiry_timestamp_seconds{certificate=%q,file=%q}", "server", name+"/server.pem"), true)
	}
}

// The limits of a client hold for all listeners together.
// Rules: TR5
func TestClientsLimitsSpanListeners(t *testing.T) {
	f := startFederations(t, func(s string) string {
		s = strings.Replace(s, "eduroam/ca.pem", "campus/ca.pem", 1)
		s = strings.Replace(s, `clients = ["eduroam"]`, `clients = ["campus"]`, 1)
		return strings.Replace(s, "[[client]]\nname = \"campus\"\n", "[[client]]\nname = \"campus\"\nmax_connections = 1\n", 1)
	})
	first := f.good("campus")
	refused := func(at string) {
		t.Helper()
		if c, _, err := f.dial("campus", at); err == nil {
			if c.read() != nil {
				t.Errorf("a second connection of the client is served at the listener of %s", at)
			}
		}
	}
	refused("eduroam")
	gatewaytest.Await(t, f.log, "client campus has 1 connections, which is its limit (max_connections)")
	first.Close()
	f.awaitMetrics(`radsec_gw_tls_client_connections{client="campus"} 0`+"\n", true)
	c, _, err := f.dial("campus", "eduroam")
	if err != nil {
		t.Fatal(err)
	}
	c.good()
	refused("campus")
}

// A reload adds, renames and removes listeners. Connections of the others stay; who waits at an
// address that another listener takes over is served by that; a connection of a listener that is
// removed gets its answers.
// Rules: TR5
func TestListenersChangeAtAReload(t *testing.T) {
	f := startFederations(t, nil)
	campus, eduroam, openroaming := f.good("campus"), f.good("eduroam"), f.good("openroaming")
	f.replace(`name = "eduroam"`+"\naddress", `name = "govroam"`+"\naddress")
	if b := eduroam.read(); b != nil {
		t.Errorf("the connection of a listener that is gone gets %x, expected its end", b)
	}
	f.good("eduroam") // at the same address, by the renamed one
	campus.good()
	f.awaitMetrics(`listener_name="eduroam"`, false)
	f.awaitMetrics(`radsec_gw_listener_connections{listener_name="govroam"} 1`+"\n", true)

	moved := gatewaytest.UnusedAddress(t)
	f.replace(f.addresses["eduroam"], moved, f.addresses["openroaming"], f.addresses["eduroam"])
	if _, names, err := f.dial("openroaming", "eduroam"); err != nil || names != "openroaming.example.org" {
		t.Errorf("the address that another listener has now presents %q (%v)", names, err)
	}
	f.addresses["eduroam"] = moved
	f.good("eduroam")
	campus.good()

	text := string(need(os.ReadFile(f.file)))
	a, b := strings.Index(text, "[[listener]]\nname = \"govroam\""), strings.Index(text, "[[listener]]\nname = \"openroaming\"")
	f.replace(text[a:b], "")
	if _, _, err := f.dial("eduroam", "eduroam"); err == nil {
		t.Error("a listener that was removed still accepts connections")
	}
	f.awaitMetrics(`listener_name="govroam"`, false)
	campus.good()
	f.replace("[[client]]\nname = \"campus\"", text[a:b]+"[[client]]\nname = \"campus\"")
	f.good("eduroam")
	campus.good()
	openroaming.good() // its listener has another address now
}

// A reload whose new listener cannot listen changes nothing, and says which.
// Rules: TR5
func TestListenerThatCannotListen(t *testing.T) {
	f := startFederations(t, nil)
	busy := need(net.Listen("tcp", "127.0.0.1:0"))
	defer busy.Close()
	text, free := string(need(os.ReadFile(f.file))), gatewaytest.UnusedAddress(t)
	gatewaytest.WriteFile(t, f.file, []byte(strings.Replace(strings.Replace(text, f.addresses["openroaming"], busy.Addr().String(), 1), f.addresses["eduroam"], free, 1)))
	err := f.g.Reload()
	if err == nil || !strings.Contains(err.Error(), `address of [[listener]] "openroaming": cannot listen for RadSec on `+busy.Addr().String()) {
		t.Errorf("expected the listener and its address, got %v", err)
	}
	if c, err := net.Dial("tcp", free); err == nil {
		c.Close()
		t.Error("the socket that was opened for a reload that failed is still open")
	}
	for _, name := range federationNames {
		f.good(name)
	}
}

// Each certificate is renewed by itself. One that clients refuse does not replace a good one
// of the same listener, does not keep another from being renewed, and takes no other listener
// down.
// Rules: TR7
func TestEachListenersCertificateIsRenewedByItself(t *testing.T) {
	f := startFederations(t, nil)
	campus := f.good("campus")
	before, kept := serialOf(t, f, "openroaming"), serialOf(t, f, "eduroam")
	f.renew("eduroam", "openroaming", func(ca *certs.CA) *certs.Pair {
		return need(ca.Server([]string{"eduroam.example.org"}, expired))
	})
	err := f.g.reloadFiles()
	if !errors.As(err, new(keptError)) || !strings.Contains(err.Error(), "listener[0].certificate") {
		t.Errorf("expected that the expired certificate of eduroam is not used, got %v", err)
	}
	if serialOf(t, f, "openroaming") == before {
		t.Error("the good certificate of openroaming is not used because that of eduroam is bad")
	}
	if serialOf(t, f, "eduroam") != kept {
		t.Error("the listener of eduroam presents a certificate that clients refuse")
	}
	f.good("eduroam")
	campus.good()
	if err := f.g.Reload(); err != nil { // requested: now it is used
		t.Fatal(err)
	}
	f.awaitMetrics("radsec_gw_certificate_refused 1\n", true)
	if why := f.g.notServing(); why != "" {
		t.Errorf("the gateway is not ready because one of three certificates has expired: %s", why)
	}
	f.good("openroaming")
	campus.good()
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
}

// renew writes new certificates of two federations: one that bad makes, and a good one. Their CAs
// stay.
func (f *federations) renew(worse, better string, bad func(ca *certs.CA) *certs.Pair) {
	f.t.Helper()
	for _, name := range slices.Compact([]string{worse, better}) {
		ca := f.cas[name]
		pair := need(ca.Server([]string{name + ".example.org"}))
		if name == worse && bad != nil {
			pair = bad(ca)
		}
		gatewaytest.WriteFile(f.t, filepath.Join(f.dir, name, "server.pem"), pair.CertPEM())
		gatewaytest.WriteFile(f.t, filepath.Join(f.dir, name, "server.key"), need(pair.KeyPEM()))
	}
}

// serialOf returns the serial number of the certificate that a listener presents.
func serialOf(t *testing.T, f *federations, at string) string {
	t.Helper()
	c, _, err := f.dial(at, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// While the certificates of the listeners are renewed in turn, no connection is closed, no
// request lost and no handshake refused.
// Rules: TR7
func TestRenewalUnderLoad(t *testing.T) {
	const rounds = 4
	f := startFederations(t, nil)
	var lasting, connecting sync.WaitGroup
	stop := make(chan struct{})
	for _, name := range federationNames {
		c := f.good(name)
		lasting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					c.good()
				}
			}
		})
		connecting.Go(func() {
			seen := map[string]bool{}
			for end := time.Now().Add(gatewaytest.Patience); len(seen) < rounds && time.Now().Before(end); {
				c, _, err := f.dial(name, name)
				if err != nil {
					t.Errorf("a client of %s cannot connect: %v", name, err)
					return
				}
				c.good()
				seen[c.ConnectionState().PeerCertificates[0].SerialNumber.String()] = true
				c.Close()
			}
			if len(seen) < rounds {
				t.Errorf("new connections of %s have seen %d certificates, expected %d", name, len(seen), rounds)
			}
		})
	}
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		for round := 0; ; round++ {
			select {
			case <-stop:
				return
			default:
			}
			name := federationNames[round%len(federationNames)]
			f.renew(name, name, nil)
			if err := f.g.reloadFiles(); err != nil {
				t.Errorf("the certificate of %s is not renewed: %v", name, err)
			}
		}
	}()
	connecting.Wait()
	close(stop)
	lasting.Wait()
	<-renewed
}
