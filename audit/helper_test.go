package audit

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"layeh.com/radius"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

const (
	secret   = "the-Secret-of-these-tests"
	password = "correct horse battery staple"
	psk      = "a-pre-shared-key"
)

// safeBuffer is written by a goroutine of the hub and read by the test.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// logged runs a hub over the events and returns all that it wrote.
func logged(t *testing.T, change func(*Config), events ...*Event) string {
	t.Helper()
	out := &safeBuffer{}
	h, end := newHub(t, out, change)
	for _, e := range events {
		h.Ended(e)
	}
	end()
	return out.String()
}

// newHub makes a hub over an output to out. end writes what waits and ends both;
// it may be called more than once, and is at the end of the test.
func newHub(t testing.TB, out io.Writer, change func(*Config)) (h *Hub, end func()) {
	t.Helper()
	lines := logs.NewOutput(out)
	cfg := Config{Out: lines, Log: slog.New(slog.DiscardHandler), Metrics: metrics.New(prometheus.NewRegistry()), Requests: true, Realm: Full, Salt: []byte("salt")}
	if change != nil {
		change(&cfg)
	}
	h = New(cfg)
	end = func() {
		h.Close()
		lines.Close()
	}
	t.Cleanup(end)
	return h, end
}

// vendor returns the value of a Vendor-Specific with one attribute (RFC 2865 §5.26).
func vendor(number uint32, t byte, value string) []byte {
	b := binary.BigEndian.AppendUint32(nil, number)
	return append(append(b, t, byte(2+len(value))), value...)
}

// login returns the event of an Access-Request with everything that must not be shown, and its
// reply. Its realm is what follows the "@".
func login(t testing.TB, user string, reply wire.Code) *Event {
	t.Helper()
	s, err := wire.NewServerSecret([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	b := wire.NewRequest(radius.CodeAccessRequest, 7)
	if user != "" {
		b.AddText(1, user)
	}
	b.AddUserPassword([]byte(password), s).AddText(31, "02-00-5E-00-53-01").
		Add(3, append([]byte{9}, "chap-password-of"...)).
		Add(26, vendor(9, 1, "psk="+psk)).
		Add(26, vendor(311, 25, "the answer to an MS-CHAP challenge")).
		Add(26, vendor(311, 10, "DOMAIN")).
		Add(5, []byte{0, 0, 0, 17}).AddText(32, "ap-1").Add(4, []byte{192, 0, 2, 4}).
		Add(79, []byte{2, 5, 0, 12, 6, 'g', 't', 'c', '-', 'p', 'w', 'd'}).AddMessageAuthenticator()
	p, err := b.Sign(wire.NewHasher(), s)
	if err != nil {
		t.Fatal(err)
	}
	v := new(wire.View)
	if err := v.Parse(p); err != nil {
		t.Fatal(err)
	}
	r := make([]byte, 20, 40)
	r[0], r[1] = byte(reply), 7
	if reply == radius.CodeAccessReject {
		r = append(r, 101, 6, 0, 0, 1, 0xf6, 18, 5, 'n', 'o', '!')
	}
	r[3] = byte(len(r))
	_, realm, _ := bytes.Cut(v.UserName(), []byte("@"))
	return &Event{Client: "campus", Peer: netip.MustParseAddrPort("192.0.2.9:40001"), Kind: wire.KindAccess, Request: v, Realm: realm,
		Fate: metrics.FateRelayed, Reply: r, Server: "radius-a", Port: "auth", Duration: 1234 * time.Microsecond, Tries: 1}
}
