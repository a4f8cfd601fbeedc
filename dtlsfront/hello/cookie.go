package hello

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"time"
)

const (
	// CookieSize is the size of a cookie. Clients of DTLS 1.0 take up to 32 octets; pion
	// expects as many as its own have.
	CookieSize = 20
	// rotation is how long cookies are made with one key. Those of the previous key are
	// valid, too: a cookie is accepted for 60 to 120 s.
	rotation = time.Minute
)

// Cookies makes and checks cookies. It must not be used concurrently.
type Cookies struct {
	current, previous hash.Hash // HMACs with a key
	since             time.Time // when current was made
	sum               [sha256.Size]byte
	address           [2*16 + 2]byte
}

// NewCookies returns Cookies with random keys.
func NewCookies(now time.Time) *Cookies {
	return &Cookies{current: newKey(), previous: newKey(), since: now}
}

func newKey() hash.Hash {
	var key [sha256.Size]byte
	rand.Read(key[:])
	return hmac.New(sha256.New, key[:])
}

// Make returns the cookie for a ClientHello (RFC 6347 §4.2.1): an HMAC of the addresses and
// of the parameters that it has to repeat. It is valid until the next call.
func (c *Cookies) Make(now time.Time, remote netip.AddrPort, local netip.Addr, h *Hello) []byte {
	c.rotate(now)
	return c.compute(c.current, remote, local, h)
}

// Valid reports whether a ClientHello returns the cookie that was made for it.
func (c *Cookies) Valid(now time.Time, remote netip.AddrPort, local netip.Addr, h *Hello) bool {
	if len(h.Cookie) != CookieSize {
		return false
	}
	c.rotate(now)
	return hmac.Equal(h.Cookie, c.compute(c.current, remote, local, h)) ||
		hmac.Equal(h.Cookie, c.compute(c.previous, remote, local, h))
}

func (c *Cookies) rotate(now time.Time) {
	switch d := now.Sub(c.since); {
	case d < rotation:
	case d < 2*rotation:
		c.previous, c.current, c.since = c.current, newKey(), c.since.Add(rotation)
	default: // no cookie was made for so long
		c.previous, c.current, c.since = newKey(), newKey(), now
	}
}

func (c *Cookies) compute(mac hash.Hash, remote netip.AddrPort, local netip.Addr, h *Hello) []byte {
	from, to := remote.Addr().As16(), netip.IPv6Unspecified().As16()
	if local.IsValid() {
		to = local.As16()
	}
	copy(c.address[:], from[:])
	copy(c.address[16:], to[:])
	binary.BigEndian.PutUint16(c.address[32:], remote.Port())
	mac.Reset()
	mac.Write(c.address[:])
	mac.Write(h.before)
	mac.Write(h.parameters)
	return mac.Sum(c.sum[:0])[:CookieSize]
}
