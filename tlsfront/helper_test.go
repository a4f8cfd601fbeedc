package tlsfront

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/sessions"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for an event that must happen. It only passes if the
// test fails.
const patience = 10 * time.Second

// helloStart is the start of a ClientHello of 252 bytes.
var helloStart = []byte{22, 3, 1, 1, 0, 1}

// pki is a CA with one server and one client certificate.
type pki struct {
	ca             *certs.CA
	server, client *certs.Pair
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	ca := must(certs.NewCA("test CA"))
	return &pki{ca: ca, server: must(ca.Server([]string{"radsec-server"})), client: must(ca.Client("ap1", dns("ap1.campus.example")))}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// dns sets the certificate's SAN dNSNames.
func dns(names ...string) certs.Change {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

// clientsOf returns clients without limits.
func clientsOf(who ...identity.Client) (clients []*sessions.Client) {
	for _, w := range who {
		clients = append(clients, &sessions.Client{Client: w})
	}
	return clients
}

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// lines returns the lines that contain text.
func (b *logBuffer) lines(text string) []string {
	var found []string
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// await receives from ch, or fails the test.
func await[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// packet returns an Access-Request of n octets with the Identifier mark.
func packet(n int, mark byte) []byte {
	p := make([]byte, n)
	p[0], p[1] = 1, mark
	binary.BigEndian.PutUint16(p[2:], uint16(n))
	for i := 4; i < n; i++ {
		p[i] = mark + byte(i)
	}
	return p
}

// readToEnd reads what the peer sees until the connection ends.
func readToEnd(c net.Conn) error {
	c.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, c)
	if err == nil {
		return io.EOF
	}
	return err
}

// named is a connection with the address of a TCP peer.
type named struct {
	net.Conn
	addr net.Addr
}

func (n named) RemoteAddr() net.Addr { return n.addr }

// pipeListener is a listener whose connections are made by connect, without a network,
// so that it works with fake time.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 2083} }

// connect returns the client's end of a new connection from 192.0.2.1.
func (l *pipeListener) connect() net.Conn { return l.connectFrom("192.0.2.1") }

// connectFrom returns the client's end of a new connection from an address.
func (l *pipeListener) connectFrom(address string) net.Conn {
	near, far := net.Pipe()
	l.conns <- named{far, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 4711))}
	return near
}

// isAlert reports whether err is an alert from the server.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// sleep waits for d of fake time.
func sleep(d time.Duration) { <-time.After(d) }

// pass waits for d of fake time, and for all that happens at its end. Only one goroutine of
// a test may call it at a time.
func pass(d time.Duration) {
	sleep(d)
	synctest.Wait()
}

// drip writes b an octet a second until it fails, and returns how long it took.
func drip(c net.Conn, b []byte) time.Duration {
	start := time.Now()
	go io.Copy(io.Discard, c)
	for _, octet := range b {
		if _, err := c.Write([]byte{octet}); err != nil {
			break
		}
		sleep(time.Second) // of faked time
	}
	return time.Since(start)
}

// within reports whether d is want, or a little later.
func within(d, want time.Duration) bool { return d >= want && d <= want+2*time.Second }

// forger makes certificates that no CA signed.
type forger struct {
	key *ecdsa.PrivateKey // signs, and belongs to every leaf
}

func newForger() *forger {
	return &forger{must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

// certificate makes a certificate with the name of issuer, for the forger's own key if
// key is nil.
func (f *forger) certificate(subject, issuer pkix.Name, key any, changes ...certs.Change) []byte {
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: key != nil, BasicConstraintsValid: true}
	for _, change := range changes {
		change(t)
	}
	if key == nil {
		key = &f.key.PublicKey
	}
	return must(x509.CreateCertificate(rand.Reader, t, &x509.Certificate{Subject: issuer}, key, f.key))
}

// rsaKey returns a public key of this size, without a private key.
func rsaKey(bits, exponent int) *rsa.PublicKey {
	n := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1))))
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	return &rsa.PublicKey{N: n, E: exponent}
}
