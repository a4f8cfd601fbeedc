package dtlsfront_test

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/crypto/ciphersuite"

	"radsec-gw/bench/process"
	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/dtlsfront/record"
	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// keyPSK is a key of the shortest size.
const keyPSK = "a key of sixteen"

// withPSK returns the options of a client with a PSK.
func withPSK(identity, key string) []dtls.ClientOption {
	offer := []dtls.PSK{{Identity: []byte(identity), Key: []byte(key)}}
	return []dtls.ClientOption{dtls.WithPSK(func() ([]dtls.PSK, error) { return offer, nil }, nil),
		dtls.WithCipherSuites(record.ECDHEPSKWithChaCha20Poly1305)}
}

// startPSK starts a front that knows the PSK of nas-7 and of a client with a key of 256 octets.
func startPSK(t *testing.T, more ...func(*dtlsfront.Config, *handshake.Config)) *front {
	t.Helper()
	return start(t, append(more, func(_ *dtlsfront.Config, h *handshake.Config) {
		h.PSK = func(identity []byte) ([]byte, error) {
			switch string(identity) {
			case "nas-7":
				return []byte(keyPSK), nil
			case "long":
				return []byte(longPSK), nil
			}
			return nil, fmt.Errorf("the identity %q is unknown", identity)
		}
		h.Verify = func([]*x509.Certificate) error { return errors.New("no certificate was expected") }
	})...)
}

var longPSK = strings.Repeat("x", 256)

// With a PSK a client needs no certificate, and its identity and key are known; unless the gateway
// has PSKs, none is accepted, nor is a suite without ephemeral keys ever.
// Rules: DT13, P118
func TestPSK(t *testing.T) {
	f := startPSK(t)
	for identity, key := range map[string]string{"nas-7": keyPSK, "long": longPSK} {
		c, err := f.dialWith(nil, withPSK(identity, key)...)
		if err != nil {
			t.Fatal(err)
		}
		ask(t, c, packet(1, 20))
		if psk := f.session().session.PSK(); psk == nil || psk.Identity != identity || psk.Key != sha256.Sum256([]byte(key)) {
			t.Errorf("the PSK is %v, expected that of %s", psk, identity)
		}
	}
	for _, suite := range []ciphersuite.ID{ciphersuite.TLS_PSK_WITH_AES_128_GCM_SHA256, ciphersuite.TLS_PSK_WITH_AES_128_CCM, ciphersuite.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256} {
		if _, err := f.dialWith(nil, append(withPSK("nas-7", keyPSK), dtls.WithCipherSuites(suite))...); err == nil {
			t.Errorf("%v is accepted", suite)
		}
	}
	without := start(t)
	if _, err := without.dialWith(nil, withPSK("nas-7", keyPSK)...); err == nil {
		t.Error("a PSK is accepted although there are none")
	}
}

// A client with an identity that is unknown is told no more than that the handshake has failed, and
// the gateway says why. One with another key is left to its own time, as one who forges is.
// Rules: P118
func TestWrongPSK(t *testing.T) {
	f := startPSK(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.HandshakeTimeout = time.Second })
	_, err := f.dialWith(nil, withPSK("nas-8", keyPSK)...)
	if err == nil || !strings.Contains(err.Error(), "HandshakeFailure") {
		t.Errorf("the client gets %v, expected handshake_failure", err)
	}
	if err := <-f.ended; err.Error() != `the identity "nas-8" is unknown` {
		t.Errorf("the reason is %v", err)
	}
	go f.dialWith(nil, withPSK("nas-7", "another key of 24 octets")...)
	select {
	case err := <-f.ended:
		if !strings.Contains(err.Error(), `the PSK identity "nas-7": do the two sides have the same key`) {
			t.Errorf("the reason is %v, expected the key to be in doubt", err)
		}
	case <-time.After(patience):
		t.Error("the handshake with another key does not end")
	}
	if n := f.server.Count(dtlsfront.HandshakeComplete); n != 0 {
		t.Errorf("%d handshakes are complete", n)
	}
}

// ofPSK makes campus a client with a PSK that may connect from a network.
func ofPSK(c *dtlsfront.FrontConfig, identity, key, network string) {
	one := *c.Clients[0]
	one.SANDNS, one.PSKIdentity, one.PSK = nil, identity, []byte(key)
	one.Networks = []netip.Prefix{netip.MustParsePrefix(network)}
	c.Clients = []*sessions.Client{&one}
}

// A client with a PSK keeps its session as long as the configuration has the same PSK for it and
// allows its address.
// Rules: DT2, DT13, P107, P118
func TestClientWithPSK(t *testing.T) {
	for _, c := range []struct {
		name                   string
		identity, key, network string // in the configuration that is applied
		closed                 bool
	}{
		{"as before", "nas-7", keyPSK, "127.0.0.0/8", false},
		{"another key", "nas-7", "another key of 24 octets", "127.0.0.0/8", true},
		{"another identity", "nas-8", keyPSK, "127.0.0.0/8", true},
		{"another network", "nas-7", keyPSK, "192.0.2.0/24", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startClients(t, func(cfg *dtlsfront.FrontConfig) { ofPSK(cfg, "nas-7", keyPSK, "127.0.0.0/8") })
			s, err := f.dialWith(nil, withPSK("nas-7", keyPSK)...)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s, packet(1, 20))
			f.apply(func(cfg *dtlsfront.FrontConfig) { ofPSK(cfg, c.identity, c.key, c.network) })
			if c.closed {
				f.expectClosed(metrics.ClosedNotAllowed)
				expectEnd(t, s)
				return
			}
			ask(t, s, packet(2, 20))
		})
	}
}

// Elsewhere than its networks allow, the identity of a client does not exist, and the log says so.
// Where it may be, a certificate does not take the place of the PSK; a client that offers suites for
// certificates beside that for a PSK, as OpenSSL does, is asked for the PSK.
// Rules: DT13, P107, P108, P118
func TestWhereAPSKCounts(t *testing.T) {
	lines := new(process.Output)
	f := startClients(t, func(cfg *dtlsfront.FrontConfig) {
		ofPSK(cfg, "nas-7", keyPSK, "127.0.0.2/32")
		cfg.Clients = append(cfg.Clients, &sessions.Client{Client: identity.Client{Name: "other", SANDNS: []string{"other"}}, Open: f0})
		cfg.Log = slog.New(slog.NewTextHandler(lines, nil))
	})
	if _, err := f.dialWith(nil, withPSK("nas-7", keyPSK)...); err == nil || !strings.Contains(err.Error(), "HandshakeFailure") {
		t.Errorf("from an address that the client must not have: %v, expected handshake_failure", err)
	}
	awaitLine(t, lines, `no client that may connect from 127.0.0.1 has the PSK identity \"nas-7\": expected a certificate`)
	c, err := f.tryDial(f.socketAt("127.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	expectEnd(t, c) // its certificate is that of campus
	awaitLine(t, lines, "no client matches: campus: the peer used no PSK; other: ")
	s := f.dial(f.socketAt("127.0.0.2"), append(withPSK("nas-7", keyPSK),
		dtls.WithCipherSuites(ciphersuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, handshake.SuitePSK))...)
	ask(t, s, packet(3, 20))
}

// awaitLine waits until the log has a text.
func awaitLine(t *testing.T, lines *process.Output, text string) {
	t.Helper()
	if !lines.Await(patience, func(all string) bool { return strings.Contains(all, text) }) {
		t.Errorf("the log lacks %q:\n%s", text, lines)
	}
}

// f0 is the Open of a client that never connects.
func f0(sessions.Conn) sessions.Handler { panic("a session of a client that never connects") }
