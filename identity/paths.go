package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"time"

	"radsec-gw/locks"
)

// maxPaths bounds the certificates in the cache; each takes a few hundred bytes.
const maxPaths = 4096

// certPath is the part of a verified path that must be checked at each use: validity,
// revocation, and the client's CA. Signatures, names, constraints and usages are not
// checked again: they hold as long as the CAs stay the same.
type certPath struct {
	notBefore, notAfter time.Time           // while all certificates are valid
	revocable           []certID            // all certificates except self-signed ones
	anchors             []*x509.Certificate // the anchors in it, above the leaf
	ofClientCA          bool                // one of the anchors belongs to the client CA
}

// certID identifies a certificate as a revocation list does, and says where that list is.
type certID struct {
	issuer issuerKey
	serial string   // see serialOf
	points []string // URLs where its issuer's list may be
}

// pathsIn converts the chains that x509 verified.
func (t *trust) pathsIn(chains [][]*x509.Certificate) []certPath {
	var paths []certPath
	for _, chain := range chains {
		p := certPath{notBefore: chain[0].NotBefore, notAfter: chain[0].NotAfter}
		for i, c := range chain {
			if c.NotBefore.After(p.notBefore) {
				p.notBefore = c.NotBefore
			}
			p.notAfter = earlier(p.notAfter, c.NotAfter)
			var issuer *x509.Certificate
			if i+1 < len(chain) {
				issuer = chain[i+1]
			} else {
				issuer = t.issuerOf(c) // the issuer of an anchor may be configured, too
			}
			if issuer != nil {
				p.revocable = append(p.revocable, certID{keyOf(issuer), serialOf(c.SerialNumber), pointsOf(c)})
			}
			if i == 0 && len(chain) > 1 {
				continue // a leaf counts as an anchor only if it is its own
			}
			if a, ofClientCA := t.anchor(c); a != nil {
				p.anchors = append(p.anchors, a)
				p.ofClientCA = p.ofClientCA || ofClientCA
			}
		}
		paths = append(paths, p)
	}
	return paths
}

// serialOf returns a serial number as a map key.
func serialOf(n *big.Int) string {
	if n.Sign() < 0 {
		return "-" + string(n.Bytes())
	}
	return string(n.Bytes())
}

// pathCache caches the paths of certificates that verified, so that the signatures of a
// client that connects often are verified once, not for each connection. Only paths that
// verified are added, so an attacker without a certificate cannot fill it. It is valid
// for one trust.
type pathCache struct {
	mu    locks.Mutex[locks.Paths] // guards paths
	paths map[[32]byte][]certPath
}

func newPathCache() *pathCache { return &pathCache{paths: map[[32]byte][]certPath{}} }

// digestOf returns the key of a list of certificates: a hash of every byte, in order.
// The amount is bounded by tlsfront's maxFlight.
func digestOf(certs []*x509.Certificate) (key [32]byte) {
	h := sha256.New()
	var length [4]byte
	for _, c := range certs {
		binary.BigEndian.PutUint32(length[:], uint32(len(c.Raw)))
		h.Write(length[:])
		h.Write(c.Raw)
	}
	h.Sum(key[:0])
	return key
}

// valid returns the paths of key whose certificates are all valid at now.
func (c *pathCache) valid(key [32]byte, now time.Time) (paths []certPath) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.paths[key] {
		if !now.Before(p.notBefore) && !now.After(p.notAfter) {
			paths = append(paths, p)
		}
	}
	return paths
}

func (c *pathCache) put(key [32]byte, paths []certPath) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.paths) >= maxPaths {
		for k := range c.paths { // evict any: the order of maps is random
			delete(c.paths, k)
			break
		}
	}
	c.paths[key] = paths
}
