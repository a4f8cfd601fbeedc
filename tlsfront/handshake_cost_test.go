//go:build unix

package tlsfront

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"radsec-gw/bench/forged"
	"radsec-gw/certs"
)

// hostileChains are the most expensive chains that a peer without a certificate can
// send. All must be refused.
func hostileChains(p *pki) map[string][][]byte {
	f := newForger()
	ca := p.ca.Certificate.Subject
	name := func(i int) pkix.Name { return pkix.Name{CommonName: fmt.Sprint("CA ", i)} }
	forge := func(subject, issuer pkix.Name, public any, signer crypto.Signer, change func(*x509.Certificate)) []byte {
		return must(forged.Certificate(subject, issuer, public, signer, change))
	}
	leaf := func(issuer pkix.Name, signer crypto.Signer) []byte {
		return forge(pkix.Name{CommonName: "leaf"}, issuer, &f.key.PublicKey, signer, nil)
	}
	chains := map[string][][]byte{"98 issuers of 8192 bits": must(forged.Expensive(ca, f.key))}

	// Two of each name, whose signatures all verify, up to the forged CA.
	allowed := must(forged.NewKey(4096, 65537)) // the most that package identity takes
	ladder := [][]byte{leaf(name(0), allowed)}
	for i := range 4 {
		issuer := name(i + 1)
		if i == 3 {
			issuer = ca
		}
		for range 2 {
			ladder = append(ladder, forge(name(i), issuer, allowed.Public(), allowed, forged.CA))
		}
	}
	chains["a ladder of 4096 bits"] = ladder
	slow := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	ladder = [][]byte{leaf(name(0), slow)}
	for i := range 4 {
		for range 2 {
			ladder = append(ladder, forge(name(i), name(i+1), &slow.PublicKey, slow, forged.CA))
		}
	}
	chains["a ladder of P-521"] = append(ladder, forge(name(4), ca, &slow.PublicKey, slow, forged.CA))

	genuine := must(p.ca.Client("intermediate", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})).Certificate
	chains["under a genuine intermediate"] = [][]byte{leaf(genuine.Subject, slow), genuine.Raw,
		forge(genuine.Subject, ca, &slow.PublicKey, slow, forged.CA)}

	chains["names to parse"] = [][]byte{f.certificate(name(0), ca, nil, func(c *x509.Certificate) {
		for range 3500 {
			c.URIs = append(c.URIs, &url.URL{Scheme: "a", Opaque: "b"})
		}
	})}
	chains["policies to parse"] = [][]byte{f.certificate(name(0), ca, nil, func(c *x509.Certificate) {
		for i := range 2700 {
			c.Policies = append(c.Policies, must(x509.OIDFromInts([]uint64{1, 2, uint64(i)})))
		}
	})}
	chains["a subject of many parts"] = [][]byte{f.certificate(pkix.Name{OrganizationalUnit: many(500)}, ca, nil)}
	chains["a leaf of 8192 bits"] = [][]byte{f.certificate(pkix.Name{CommonName: "leaf"}, ca, rsaKey(8192, 1<<31-1))}
	return chains
}

// ordinaryChain returns the chain of a client of another CA.
func ordinaryChain() [][]byte {
	return [][]byte{must(must(certs.NewCA("another CA")).Client("ap1")).Certificate.Raw}
}

// refusedHandshake does a handshake with a client that presents these certificates, and
// returns its cost for the server: the processor time of its only thread. It fails
// unless the server refuses.
func (f *front) refusedHandshake(t testing.TB, chain [][]byte, version uint16, curves ...tls.CurveID) time.Duration {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	near := must(net.Dial("tcp", l.Addr().String()))
	defer near.Close()
	far := must(l.Accept())
	defer far.Close()
	show := &tls.Certificate{Certificate: chain, PrivateKey: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true, MaxVersion: version, CurvePreferences: curves,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return show, nil }})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if client.Handshake() == nil {
			client.Read(make([]byte, 1))
		}
	}()
	took := make(chan time.Duration)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		growStack()
		c := f.server.newConn(far)
		start := threadTime()
		err := tls.Server(c, f.server.tls).Handshake()
		end := threadTime()
		if err == nil {
			t.Error("the server takes the certificates")
		}
		far.Close()
		took <- end - start
	}()
	defer func() { <-done }()
	return <-took
}

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// leastOf returns the smallest of several measurements: the others also measure the
// machine.
func leastOf(n int, measure func() time.Duration) time.Duration {
	least := measure()
	for range n - 1 {
		least = min(least, measure())
	}
	return least
}

// Whatever a peer without a valid certificate sends, it costs at most a few times as
// much as an ordinary refusal; with crypto/tls alone it would cost half a second.
//
// Rules: P112
func TestHostileHandshakeIsCheap(t *testing.T) {
	const mostTimes = 8 // up to two, four where it is for parsing; the rest is the machine's
	const tries = 10    // each measures both, one after the other: a machine changes its speed
	f := startTCP(t, nil)
	ordinary := ordinaryChain()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for what, chain := range hostileChains(f.pki) {
			var got, least time.Duration
			for range tries {
				least = leastOf(3, func() time.Duration { return f.refusedHandshake(t, ordinary, version) })
				got = leastOf(3, func() time.Duration { return f.refusedHandshake(t, chain, version) })
				if got <= mostTimes*least {
					break
				}
			}
			t.Logf("%s, %s: %v, %.1f times the %v of an ordinary refusal", tls.VersionName(version), what, got, float64(got)/float64(least), least)
			if got > mostTimes*least {
				t.Errorf("%s, %s: a refusal costs %v, want at most %d times the %v of an ordinary one", tls.VersionName(version), what, got, mostTimes, least)
			}
		}
	}
}

// The two benchmarks whose ratio matters.
func BenchmarkRefusedHandshake(b *testing.B) {
	benchmarkRefused(b, map[string][][]byte{"another CA": ordinaryChain()})
}

func BenchmarkHostileHandshake(b *testing.B) { benchmarkRefused(b, nil) }

func benchmarkRefused(b *testing.B, chains map[string][][]byte) {
	f := startTCP(b, nil)
	if chains == nil {
		chains = hostileChains(f.pki)
	}
	ordinary := leastOf(20, func() time.Duration { return f.refusedHandshake(b, ordinaryChain(), tls.VersionTLS13) })
	for what, chain := range chains {
		b.Run(what, func(b *testing.B) {
			var total time.Duration
			for b.Loop() {
				total += f.refusedHandshake(b, chain, tls.VersionTLS13)
			}
			each := float64(total) / float64(b.N)
			b.ReportMetric(each/1e3, "server-µs/op")
			b.ReportMetric(each/float64(ordinary), "ordinary")
		})
	}
}
