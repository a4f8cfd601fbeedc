package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"sync"
	"time"
)

// maxPaths bounds the certificates in the cache; each takes a few hundred bytes.
const maxPaths = 4096

// certPath is what must be looked at again each time that a verified path is
// used: validity, revocation, and whose client's it is. That the signatures, names,
// constraints and usages hold does not change while the CAs stay.
type certPath struct {
	notBefore, notAfter time.Time           // the span in which all certificates are valid
	links               []link              // certificates that somebody else has issued
	anchors             []*x509.Certificate // those of the anchors that it passes through, above the leaf
	ofClientCA          bool                // one of them is of the client CA
}

// link is a certificate as a revocation list names it.
type link struct {
	issuer issuerKey
	serial string // see serialOf
}

// pathsIn returns what x509 has verified in the form that is kept.
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
				issuer = t.issuerOf(c) // an anchor may have an issuer that is configured, too
			}
			if issuer != nil {
				p.links = append(p.links, link{keyOf(issuer), serialOf(c.SerialNumber)})
			}
			if i == 0 && len(chain) > 1 {
				continue // an anchor that is the leaf stands for itself alone
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

// serialOf returns a serial number for comparing.
func serialOf(n *big.Int) string {
	if n.Sign() < 0 {
		return "-" + string(n.Bytes())
	}
	return string(n.Bytes())
}

// pathCache remembers the paths of certificates that verified, so that a
// client that connects often costs one verification of signatures, not one for
// each connection. Only certificates of the CA come in, so a stranger cannot
// fill it. It belongs to one trust.
type pathCache struct {
	mu    sync.Mutex // guards paths
	paths map[[32]byte][]certPath
}

func newPathCache() *pathCache { return &pathCache{paths: map[[32]byte][]certPath{}} }

// digestOf names exactly what a peer has shown: every byte, in order. How much
// that can be is bounded by maxFlight.
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
		for k := range c.paths { // any will do: maps begin anywhere
			delete(c.paths, k)
			break
		}
	}
	c.paths[key] = paths
}
