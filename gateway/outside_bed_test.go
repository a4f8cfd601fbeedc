package gateway

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"layeh.com/radius"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// outside is the whole gateway as the world sees it: TLS in front, a UDP server
// of the field's library behind, metrics over HTTP.
type outside struct {
	t     *testing.T
	gw    *Gateway
	ca    *certs.CA
	pairs map[string]*certs.Pair // clients' certificates of the gateway's CA
	log   *gatewaytest.Log
}

// planOf reads a configuration that must have no mistakes, as serve does.
func planOf(t *testing.T, file string) *Plan {
	t.Helper()
	p, err := Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// startOutside starts the gateway with its file as serve would. ports are the
// UDP server's for access, accounting and CoA.
func startOutside(t *testing.T, ports [3]int) *outside {
	leaks := goleak.IgnoreCurrent()
	o := &outside{t: t, pairs: map[string]*certs.Pair{}, log: new(gatewaytest.Log)}
	dir := t.TempDir()
	var err error
	if o.ca, err = certs.NewCA("the gateway's CA"); err != nil {
		t.Fatal(err)
	}
	server, err := o.ca.Server(certs.DevelopmentHosts()...)
	if err != nil {
		t.Fatal(err)
	}
	key, err := server.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", "strict", "access", "unlisted", "faraway"} {
		if o.pairs[name], err = o.ca.Client(name); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(outsideConfig, o.fingerprint("plain"), o.fingerprint("strict"), o.fingerprint("access"), o.fingerprint("faraway"),
		ports[0], ports[1], ports[2], gatewaytest.Secret)
	for name, octets := range map[string][]byte{"server.pem": server.CertPEM(), "server.key": key, "ca.pem": o.ca.Pair.CertPEM(), "gw.toml": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), octets, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := planOf(t, filepath.Join(dir, "gw.toml"))
	ctx, cancel := context.WithCancel(context.Background())
	o.gw, err = Start(ctx, p, Options{Log: slog.New(slog.NewTextHandler(o.log, nil))})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := o.gw.Wait(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		if strings.Contains(o.log.String(), gatewaytest.Secret) {
			t.Error("the log holds the server's secret")
		}
		goleak.VerifyNone(t, leaks)
	})
	return o
}

const outsideConfig = `
[listen]
address = ["127.0.0.1:0"]
certificate = "server.pem"
private_key = "server.key"
client_ca = "ca.pem"
radius_versions = ["1.0", "1.1"]
handshake_timeout = "5s"
packet_timeout = "300ms"
write_timeout = "500ms"

[[client]]
name = "plain"
networks = ["127.0.0.1/32"]
fingerprints = [%q]

[[client]]
name = "strict"
networks = ["127.0.0.1/32"]
fingerprints = [%q]
require_message_authenticator = "all"

[[client]]
name = "access"
networks = ["127.0.0.1/32"]
fingerprints = [%q]
packets = ["access"]

[[client]]
name = "faraway"
networks = ["192.0.2.0/24", "127.0.0.3/32"]
fingerprints = [%q]

[[server]]
name = "udp"
address = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port = %d
secret = %q
health = "none"
retransmit_initial = "200ms"
retransmit_max = "400ms"
retransmit_duration = "1s"

[[route]]
realms = ["example.org"]
packets = ["access", "accounting", "coa", "disconnect"]
servers = ["udp"]

[metrics]
address = "127.0.0.1:0"
`

func (o *outside) fingerprint(name string) string {
	return certs.FormatFingerprint(o.pairs[name].Fingerprint())
}

// answering is a UDP server of the field's library on three ports. It accepts
// everything, with a Message-Authenticator in replies to Access-Request.
func answering(t *testing.T) [3]int {
	var ports [3]int
	for i := range ports {
		ports[i] = gatewaytest.Serve(t, gatewaytest.Accept)
	}
	return ports
}

// octet strings ---------------------------------------------------------------

// tlv is one attribute as octets.
func tlv(t byte, value ...byte) []byte { return append([]byte{t, byte(2 + len(value))}, value...) }

func nameOf(user string) []byte { return tlv(1, []byte(user)...) }

// emptyMAC is a Message-Authenticator for rawRequest to fill; other lengths are
// filled as far as they go.
var emptyMAC = tlv(80, make([]byte, 16)...)

// rawRequest makes a request of these attributes, signed under "radsec" as its
// code wants it.
func rawRequest(code, id byte, attrs ...[]byte) []byte {
	b := append([]byte{code, id, 0, 0}, make([]byte, 16)...)
	random := code == 1 || code == 12
	if random {
		rand.Read(b[4:20])
	}
	b = append(b, bytes.Join(attrs, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	mac := hmac.New(md5.New, []byte("radsec"))
	mac.Write(b)
	sum := mac.Sum(nil)
	for i := 20; i+1 < len(b) && b[i+1] >= 2 && i+int(b[i+1]) <= len(b); i += int(b[i+1]) {
		if b[i] == 80 {
			copy(b[i+2:i+int(b[i+1])], sum)
		}
	}
	if !random {
		digest := md5.Sum(append(bytes.Clone(b), "radsec"...))
		copy(b[4:20], digest[:])
	}
	return b
}

// flip changes one octet of a packet.
func flip(at int, b []byte) []byte {
	b[at] ^= 0x20
	return b
}

// withLength writes another Length into a packet.
func withLength(n int, b []byte) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

// connections -----------------------------------------------------------------

// outsideConn is a client's connection.
type outsideConn struct {
	t *testing.T
	*tls.Conn
}

// connect opens a connection of the named client, which must be accepted.
func (o *outside) connect(name string) *outsideConn {
	o.t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: gatewaytest.Patience}, "tcp", o.gw.Addr().String(), o.tls(name))
	if err != nil {
		o.t.Fatalf("client %s cannot connect: %v", name, err)
	}
	o.t.Cleanup(func() { c.Close() })
	return &outsideConn{o.t, c}
}

func (o *outside) tls(name string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{o.pairs[name].TLS()}, RootCAs: o.ca.Pool(), ServerName: "radsec-server"}
}

// read returns the next whole packet, nil at the connection's end.
func (c *outsideConn) read() []byte {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		if timedOut(err) {
			c.t.Fatal("no answer, and the connection is not closed")
		}
		return nil
	}
	b := append(head, make([]byte, int(binary.BigEndian.Uint16(head[2:]))-4)...)
	if _, err := io.ReadFull(c, b[4:]); err != nil {
		c.t.Fatalf("the connection ended within a packet: %v", err)
	}
	return b
}

func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// write sends octets as they are. A connection that is closed already is no
// mistake of the test: reading tells.
func (c *outsideConn) write(b []byte) {
	c.SetWriteDeadline(time.Now().Add(gatewaytest.Patience))
	if _, err := c.Write(b); timedOut(err) {
		c.t.Fatal("the gateway does not read")
	}
}

// good sends a good request and fails the test unless its answer comes back,
// and nothing before it.
func (c *outsideConn) good() {
	c.t.Helper()
	q := rawRequest(1, 250, emptyMAC, nameOf("good@example.org"), tlv(33, []byte("good")...))
	c.write(q)
	a := c.read()
	if a == nil {
		c.t.Fatal("a following good request: the connection is closed")
	}
	c.believe(q, a, 2)
	if !bytes.Contains(a, tlv(25, []byte("good@example.org")...)) {
		c.t.Error("a following good request: the answer is not the server's")
	}
}

// believe fails the test unless a answers q, rightly signed.
func (c *outsideConn) believe(q, a []byte, code byte) {
	c.t.Helper()
	if a[0] != code || a[1] != q[1] {
		c.t.Fatalf("got %v with Identifier %d, expected %v with %d", radius.Code(a[0]), a[1], radius.Code(code), q[1])
	}
	if !radius.IsAuthenticResponse(a, q, []byte("radsec")) {
		c.t.Errorf("the Response Authenticator of %v is wrong", radius.Code(a[0]))
	}
	if q[0] == 1 || q[0] == 12 {
		if err := probe.VerifyMessageAuthenticator(a, []byte("radsec"), [16]byte(q[4:20])); err != nil {
			c.t.Errorf("the Message-Authenticator of %v: %v", radius.Code(a[0]), err)
		}
	}
}

// metrics ---------------------------------------------------------------------
