package identity

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Verifier decides whether a certificate is acceptable at a given time: its path to a
// CA, its validity, its revocation (RFC 5280 §6, RFC 6614bis §3.3.1). The same
// Verifier is used for full handshakes, resumed ones (RFC 6614bis §3.5) and open
// connections, so that the results do not differ. It is safe for concurrent use.
type Verifier struct {
	// static after construction
	auth        ClientAuth
	own         [][]byte // DER forms of the gateway's certificates
	trust       *trust
	clients     Clients
	others      []Other
	lists       revocations
	refuseStale bool
	fetched     Fetched
	paths       *pathCache
}

// NewVerifier returns a Verifier for cfg. It reuses the cached paths of previous, which
// may be nil, if the CAs are the same.
func NewVerifier(cfg *Config, previous *Verifier) (*Verifier, error) {
	v := &Verifier{auth: cfg.Auth, own: cfg.Own, clients: cfg.Clients, others: cfg.Others, refuseStale: cfg.RefuseStaleCRL, fetched: cfg.Fetched, paths: newPathCache()}
	if len(cfg.ClientCA) == 0 && cfg.Auth != NoCertificate {
		return nil, errors.New("expected at least one certificate of a client CA, got none")
	}
	for _, c := range cfg.Clients {
		if err := c.Validate(); err != nil {
			return nil, err
		}
	}
	v.trust = newTrust(cfg.ClientCA, cfg.Clients.cas(), cfg.Intermediates)
	lists, err := newRevocations(cfg.CRLs, slices.Concat(v.trust.all(), v.trust.unused))
	if err != nil {
		return nil, err
	}
	v.lists = lists
	if previous != nil && previous.trust.same(v.trust) {
		v.paths = previous.paths
	}
	return v, nil
}

// Assess returns the index of the client that the peer is, and until when its
// certificate is valid (the zero time: forever); or a refusal. certs are those of its
// handshake, or of the original one if it resumed a session; none of a peer with a PSK.
func (v *Verifier) Assess(p *Peer, certs []*x509.Certificate, now time.Time) (index int, until time.Time, refusal *Refusal) {
	who := *p
	if who.PSK == nil { // which takes the place of a certificate
		if who.paths, refusal = v.verify(certs, now); refusal != nil {
			return -1, until, refusal
		}
	}
	if v.auth == NoCertificate {
		who.Leaf = nil // a certificate from before the configuration changed does not count
	}
	if index = v.clients.find(&who); index < 0 {
		return -1, until, &Refusal{Reason: ClientUnknown, Leaf: who.Leaf, Text: "no client matches: " + v.clients.explain(&who) + v.elsewhere(&who)}
	}
	return index, v.clients[index].validUntil(who.paths), nil
}

// Verify verifies the certificates that a peer presented, its own first. It returns nil
// if they are acceptable for some client.
func (v *Verifier) Verify(certs []*x509.Certificate, now time.Time) *Refusal {
	_, refusal := v.verify(certs, now)
	return refusal
}

// acceptedPath is a valid path without revoked certificates.
type acceptedPath struct {
	*certPath
	until time.Time
}

// verify returns the accepted paths of the certificates: at least one, or a refusal;
// but none of either if there is no certificate and none is required.
func (v *Verifier) verify(certs []*x509.Certificate, now time.Time) ([]acceptedPath, *Refusal) {
	if len(certs) == 0 {
		if v.auth == RequireCertificate {
			return nil, &Refusal{Reason: CertificateMissing,
				Text: "the peer presented no certificate, but client_auth requires one: give it a certificate from the configured client CA"}
		}
		return nil, nil
	}
	if v.auth == NoCertificate {
		return nil, nil
	}
	leaf := certs[0]
	if slices.ContainsFunc(v.own, func(own []byte) bool { return bytes.Equal(leaf.Raw, own) }) {
		// RFC 6614bis §7.2.1: the gateway connects to itself.
		return nil, &Refusal{Reason: CertificateOwn, Leaf: leaf,
			Text: "the peer presented this gateway's own certificate: the client is the gateway itself, or has a copy of its key"}
	}
	paths, refusal := v.pathsOf(certs, now)
	if refusal != nil {
		return nil, refusal
	}
	var accepted []acceptedPath
	for i := range paths {
		until, r := v.unrevoked(&paths[i], leaf, now)
		if r != nil {
			refusal = r
		} else {
			accepted = append(accepted, acceptedPath{&paths[i], until})
		}
	}
	if len(accepted) == 0 {
		return nil, refusal
	}
	return accepted, nil
}

// pathsOf returns the paths that are valid now, from the cache or by verifying.
// crypto/tls calls it before it verifies a signature made with the leaf's key, so that a
// peer without a certificate of a trusted CA costs no more than checkSent and
// genuineIntermediates allow.
func (v *Verifier) pathsOf(certs []*x509.Certificate, now time.Time) ([]certPath, *Refusal) {
	key := digestOf(certs)
	if paths := v.paths.valid(key, now); len(paths) > 0 {
		return paths, nil
	}
	if err := v.trust.checkSent(certs); err != nil {
		return nil, &Refusal{Reason: CertificateExcessive, Leaf: certs[0], Text: err.Error()}
	}
	if !v.trust.reaches(certs) {
		return nil, v.trust.unreached(certs)
	}
	sent := v.trust.genuineIntermediates(certs)
	intermediates := v.trust.intermediates
	if len(sent) > 0 {
		intermediates = intermediates.Clone()
		for _, c := range sent {
			intermediates.AddCert(c)
		}
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{Roots: v.trust.roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil, v.trust.diagnose(certs, sent, err, now)
	}
	paths := v.trust.pathsIn(chains)
	v.paths.put(key, paths)
	return paths, nil
}

// unrevoked checks one path against the revocation lists, and returns until when it is
// accepted.
func (v *Verifier) unrevoked(p *certPath, leaf *x509.Certificate, now time.Time) (until time.Time, refusal *Refusal) {
	until = p.notAfter
	for i := range p.revocable {
		id := &p.revocable[i]
		v.offer(id)
		list := v.lists[id.issuer]
		if list == nil {
			if v.awaits(id) {
				return until, v.awaitedRefusal(id, leaf)
			}
			continue
		}
		if _, ok := list.serials[id.serial]; ok {
			return until, &Refusal{Reason: CertificateRevoked, Leaf: leaf,
				Text: fmt.Sprintf("the certificate with serial number %X of %s is revoked", id.serial, Clip(list.name, longestText))}
		}
		next := list.age().NextUpdate
		if !v.refuseStale || next.IsZero() {
			continue
		}
		if now.After(next) {
			return until, &Refusal{Reason: ListStale, Leaf: leaf,
				Text: fmt.Sprintf("the revocation list of %s has been out of date since %s, and crl_stale is \"refuse\": configure a newer list in [listen].crl", Clip(list.name, longestText), next.UTC().Format(time.RFC3339))}
		}
		until = earlier(until, next)
	}
	return until, nil
}
