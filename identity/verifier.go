package identity

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Verifier decides whether a certificate is good at a moment: its path to a
// CA, its validity, its revocation (RFC 5280 §6, RFC 6614bis §3.3.1). The same
// Verifier answers for a full handshake, a resumed one (RFC 6614bis §3.5) and a
// connection that has long been open, so the outcome cannot differ. It may be used
// by any goroutine.
type Verifier struct {
	// static after construction
	auth        ClientAuth
	own         []byte // DER form of the gateway's certificate
	trust       *trust
	clients     Clients
	lists       revocations
	refuseStale bool
	paths       *pathCache
}

// NewVerifier returns a Verifier for cfg. It keeps the paths that before has
// verified, as far as they hold under cfg, too; before may be nil.
func NewVerifier(cfg *Config, before *Verifier) (*Verifier, error) {
	v := &Verifier{auth: cfg.Auth, own: cfg.Own, clients: cfg.Clients, refuseStale: cfg.RefuseStaleCRL, paths: newPathCache()}
	if len(cfg.ClientCA) == 0 && cfg.Auth != NoCertificate {
		return nil, errors.New("expected at least one certificate of a client CA, got none")
	}
	for _, c := range cfg.Clients {
		if err := c.Validate(); err != nil {
			return nil, err
		}
	}
	v.trust = newTrust(cfg.ClientCA, cfg.Clients.cas(), cfg.Intermediates)
	lists, err := newRevocations(cfg.CRLs, slices.Concat(v.trust.all(), v.trust.useless))
	if err != nil {
		return nil, err
	}
	v.lists = lists
	if before != nil && before.trust.same(v.trust) {
		v.paths = before.paths // a path is good for as long as its CA is trusted
	}
	return v, nil
}

// Assess says which of the clients the peer is, by its index, and until when
// its certificate is good (the zero time: for ever); or why it is none. certs is
// what it has shown in its handshake, or once before when it resumes a session.
func (v *Verifier) Assess(p *Peer, certs []*x509.Certificate, now time.Time) (index int, until time.Time, refusal *Refusal) {
	who := *p
	if who.paths, refusal = v.verify(certs, now); refusal != nil {
		return -1, until, refusal
	}
	if v.auth == NoCertificate {
		who.Leaf = nil // nobody asks for it, as when the configuration was another when the connection began
	}
	if index = v.clients.find(&who); index < 0 {
		return -1, until, &Refusal{Reason: ClientUnknown, Leaf: who.Leaf, Text: "no client matches: " + v.clients.explain(&who)}
	}
	return index, v.clients[index].goodUntil(who.paths), nil
}

// Verify says why the certificates that a peer has shown, its own first, are not
// good for any client; nil when they are.
func (v *Verifier) Verify(certs []*x509.Certificate, now time.Time) *Refusal {
	_, refusal := v.verify(certs, now)
	return refusal
}

// goodPath is a path that is valid and of which nothing is revoked.
type goodPath struct {
	*certPath
	until time.Time
}

// verify returns the paths of the certificates that are good now: at least one, or
// a refusal, unless there is no certificate and none is required.
func (v *Verifier) verify(certs []*x509.Certificate, now time.Time) ([]goodPath, *Refusal) {
	if len(certs) == 0 {
		if v.auth == RequireCertificate {
			return nil, &Refusal{Reason: CertificateMissing,
				Text: "the peer has shown no certificate, and client_auth requires one: give it a certificate from the configured client CA"}
		}
		return nil, nil
	}
	if v.auth == NoCertificate {
		return nil, nil
	}
	leaf := certs[0]
	if bytes.Equal(leaf.Raw, v.own) {
		// RFC 6614bis §7.2.1: a loop of the gateway with itself.
		return nil, &Refusal{Reason: CertificateOwn, Leaf: leaf,
			Text: "the peer shows this gateway's own certificate: a client that is the gateway itself, or a copy of its key"}
	}
	paths, refusal := v.pathsOf(certs, now)
	if refusal != nil {
		return nil, refusal
	}
	var good []goodPath
	for i := range paths {
		until, r := v.unrevoked(&paths[i], leaf, now)
		if r != nil {
			refusal = r
		} else {
			good = append(good, goodPath{&paths[i], until})
		}
	}
	if len(good) == 0 {
		return nil, refusal
	}
	return good, nil
}

// pathsOf returns the paths that are valid now, from the cache or by verifying.
// crypto/tls asks before it verifies a signature of the leaf's key, so that a
// peer without a certificate of a trusted CA costs no more than checkSent and
// intermediates allow.
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
	sent := v.trust.intermediates(certs)
	between := v.trust.between
	if len(sent) > 0 {
		between = between.Clone()
		for _, c := range sent {
			between.AddCert(c)
		}
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{Roots: v.trust.roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil, v.trust.diagnose(certs, sent, err, now)
	}
	paths := v.trust.pathsIn(chains)
	v.paths.put(key, paths)
	return paths, nil
}

// unrevoked compares one path with the revocation lists, and returns until when it
// is good.
func (v *Verifier) unrevoked(p *certPath, leaf *x509.Certificate, now time.Time) (until time.Time, refusal *Refusal) {
	until = p.notAfter
	for _, l := range p.links {
		list := v.lists[l.issuer]
		if list == nil {
			continue
		}
		if _, ok := list.serials[l.serial]; ok {
			return until, &Refusal{Reason: CertificateRevoked, Leaf: leaf,
				Text: fmt.Sprintf("the certificate with serial number %X of %s is revoked", l.serial, clip(list.name))}
		}
		next := list.age().NextUpdate
		if !v.refuseStale || next.IsZero() {
			continue
		}
		if now.After(next) {
			return until, &Refusal{Reason: ListStale, Leaf: leaf,
				Text: fmt.Sprintf("the revocation list of %s has been out of date since %s, and crl_stale is \"refuse\": put a newer list into [listen].crl", clip(list.name), next.UTC().Format(time.RFC3339))}
		}
		until = earlier(until, next)
	}
	return until, nil
}
