package audit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// privacy shows the names of people and devices as configured.
type privacy struct {
	// static after construction
	user, station, realm Show
	userKey, stationKey  [16]byte  // of the hashes
	realmKey             [16]byte  // likewise
	pool                 sync.Pool // *scratch
}

// scratch holds the buffers for one line.
type scratch struct {
	line   []byte
	date   []byte // of second, up to its fractions
	zone   []byte
	second int64  // in Unix time
	name   []byte // the key, and the name in the form that is hashed
	shown  []byte
}

// newKey returns a random key for hashes.
func newKey() (key [16]byte) {
	rand.Read(key[:]) // never fails (crypto/rand)
	return key
}

// newPrivacy returns a privacy configured by cfg. The key is used when cfg has no salt.
func newPrivacy(cfg *Config, key [16]byte) *privacy {
	p := &privacy{user: cfg.User, station: cfg.Station, realm: cfg.Realm}
	if len(cfg.Salt) > 0 {
		sum := sha256.Sum256(cfg.Salt)
		copy(key[:], sum[:])
	}
	// Different keys: a MAC address that is sent as User-Name would show which hash it has
	// as a station.
	p.userKey, p.stationKey, p.realmKey = derive(key, "user"), derive(key, "station"), derive(key, "realm")
	p.pool.New = func() any {
		return &scratch{line: make([]byte, 0, 1024), name: make([]byte, 0, 512), shown: make([]byte, 0, 256)}
	}
	return p
}

// derive returns a key for one use of a key.
func derive(key [16]byte, use string) (derived [16]byte) {
	sum := sha256.Sum256(append(key[:], use...))
	copy(derived[:], sum[:])
	return derived
}

// realmName returns what is shown of the realm that a request is routed by; nil for nothing.
func (p *privacy) realmName(s *scratch, realm []byte) []byte {
	switch {
	case len(realm) == 0 || p.realm == None:
		return nil
	case p.realm == Full:
		return realm
	}
	return s.hashOfName(p.realmKey, realm)
}

// userName returns what is shown of a User-Name; nil for nothing. The result is
// valid until the scratch is used again.
func (p *privacy) userName(s *scratch, name []byte) []byte {
	switch {
	case name == nil || p.user == None:
		return nil
	case p.user == Full:
		return name
	case p.user == Cut:
		at := bytes.LastIndexByte(name, '@')
		if at < 0 {
			return nil
		}
		return name[at:]
	}
	return s.hashOfName(p.userKey, name)
}

// hashOfName returns the digits of the hash of a user or a realm. Case does not matter in
// realms (RFC 7542 §2.4), nor to most users.
func (s *scratch) hashOfName(key [16]byte, name []byte) []byte {
	s.name = append(s.name[:0], key[:]...)
	for _, c := range name {
		s.name = append(s.name, lower(c))
	}
	return s.digits()
}

// stationID returns what is shown of a Calling-Station-Id. The result for a MAC address is
// the same in whatever form it is written (RFC 3580 §3.21 has one form, but many are used).
func (p *privacy) stationID(s *scratch, id []byte) []byte {
	if id == nil || p.station == None {
		return nil
	}
	if p.station == Full {
		return id
	}
	s.name = append(s.name[:0], p.stationKey[:]...)
	mac := true
	for _, c := range id {
		switch c = lower(c); {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
			s.name = append(s.name, c)
		case c != '-' && c != ':' && c != '.':
			mac = false
		}
	}
	digits := s.name[len(p.stationKey):]
	mac = mac && len(digits) == 12
	if p.station == Cut {
		if !mac {
			return nil
		}
		s.shown = append(s.shown[:0], digits[0], digits[1], '-', digits[2], digits[3], '-', digits[4], digits[5])
		return s.shown
	}
	if !mac { // a telephone number, say
		s.name = append(s.name[:len(p.stationKey)], id...)
	}
	return s.digits()
}

// digits returns 16 hex digits of the hash of s.name. Only a quarter of
// SHA-256(key, name) is shown, so the hash cannot be extended, which would otherwise
// require HMAC; a name of usual length costs one block.
func (s *scratch) digits() []byte {
	sum := sha256.Sum256(s.name)
	s.shown = hex.AppendEncode(s.shown[:0], sum[:8])
	return s.shown
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
