package identity

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Verifier decides whether a certificate is good at a moment: its path to the
// CA, its validity, its revocation (RFC 5280 §6, RFC 6614bis §3.3.1). The same
// Verifier answers for a full handshake, a resumed one (RFC 6614bis §3.5) and a
// connection that has long been open, so the outcome cannot differ. It may be used
// by any goroutine.
type Verifier struct {
	// static after construction
	auth        ClientAuth
	own         []byte // DER form of the gateway's certificate
	ca          []byte // the PEM that trust was read from
	trust       *trust
	lists       revocations
	refuseStale bool
	paths       *pathCache
}

// NewVerifier returns a Verifier for cfg. It keeps the paths that before has
// verified, as far as they hold under cfg, too; before may be nil.
func NewVerifier(cfg *Config, before *Verifier) (*Verifier, error) {
	v := &Verifier{auth: cfg.Auth, own: cfg.Own, ca: cfg.ClientCA, refuseStale: cfg.RefuseStaleCRL, paths: newPathCache()}
	cas := certificatesIn(cfg.ClientCA)
	v.trust = newTrust(cas)
	if len(cas) == 0 && cfg.Auth != NoCertificate {
		return nil, errors.New("no certificate in the client CA: expected PEM blocks of type CERTIFICATE")
	}
	lists, err := newRevocations(cfg.CRLs, cas)
	if err != nil {
		return nil, err
	}
	v.lists = lists
	if before != nil && bytes.Equal(before.ca, v.ca) {
		v.paths = before.paths // a path is good for as long as its CA is trusted
	}
	return v, nil
}

// CAs returns the trusted certificates, whose names a client is told. It is not to
// be changed.
func (v *Verifier) CAs() *x509.CertPool { return v.trust.roots }

// Assess says which of the clients the peer is, by its index, and until when
// its certificate is good (the zero time: for ever); or why it is none. certs is
// what it has shown in its handshake, or once before when it resumes a session.
func (v *Verifier) Assess(clients Clients, p *Peer, certs []*x509.Certificate, now time.Time) (index int, until time.Time, refusal *Refusal) {
	until, refusal = v.Verify(certs, now)
	if refusal != nil {
		return -1, until, refusal
	}
	if index = clients.Find(p); index < 0 {
		return -1, until, &Refusal{Reason: ClientUnknown, Leaf: p.Leaf, Text: "no client matches: " + clients.explain(p)}
	}
	return index, until, nil
}

// Verify says until when the certificates that a peer has shown, its own first,
// are good (the zero time: for ever), or why they are not.
func (v *Verifier) Verify(certs []*x509.Certificate, now time.Time) (until time.Time, refusal *Refusal) {
	if len(certs) == 0 {
		if v.auth == RequireCertificate {
			return until, &Refusal{Reason: CertificateMissing,
				Text: "the peer has shown no certificate, and client_auth requires one"}
		}
		return until, nil
	}
	if v.auth == NoCertificate {
		return until, nil // nobody asked for it, as when the policy was another when the connection began
	}
	return v.certificates(certs, now)
}

// certificates verifies a leaf, which stands first, and what came with it.
func (v *Verifier) certificates(certs []*x509.Certificate, now time.Time) (until time.Time, refusal *Refusal) {
	leaf := certs[0]
	if bytes.Equal(leaf.Raw, v.own) {
		// RFC 6614bis §7.2.1: a loop of the gateway with itself.
		return until, &Refusal{Reason: CertificateOwn, Leaf: leaf,
			Text: "the peer shows this gateway's own certificate: a client that is the gateway itself, or a copy of its key"}
	}
	paths, refusal := v.pathsOf(certs, now)
	if refusal != nil {
		return until, refusal
	}
	for _, p := range paths {
		end, r := v.path(p, leaf, now)
		if r != nil {
			refusal = r
		} else if end.After(until) {
			until = end
		}
	}
	if until.IsZero() {
		return until, refusal
	}
	return until, nil
}

// pathsOf returns the paths that are valid now, from the cache or by verifying.
// crypto/tls asks before it verifies a signature of the leaf's key, so that a
// peer without a certificate of the client CA costs no more than checkSent and
// intermediates allow.
func (v *Verifier) pathsOf(certs []*x509.Certificate, now time.Time) ([]certPath, *Refusal) {
	key := keyOf(certs)
	if paths := v.paths.valid(key, now); len(paths) > 0 {
		return paths, nil
	}
	if err := v.trust.checkSent(certs); err != nil {
		return nil, &Refusal{Reason: CertificateExcessive, Leaf: certs[0], Text: err.Error()}
	}
	if !v.trust.reaches(certs) {
		return nil, untrusted(certs[0], fmt.Errorf("nothing that the peer sent was issued by a certificate of the client CA: its certificate was issued by %s", issuerOf(certs[0])), now)
	}
	between := x509.NewCertPool()
	for _, c := range v.trust.intermediates(certs) {
		between.AddCert(c)
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{Roots: v.trust.roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil, untrusted(certs[0], err, now)
	}
	paths := pathsIn(chains)
	v.paths.put(key, paths)
	return paths, nil
}

func untrusted(leaf *x509.Certificate, err error, now time.Time) *Refusal {
	var validity x509.CertificateInvalidError
	if errors.As(err, &validity) && validity.Reason == x509.Expired { // x509's word for both ends
		if from := validity.Cert.NotBefore; now.Before(from) {
			return &Refusal{Reason: CertificateEarly, Leaf: leaf,
				Text: fmt.Sprintf("the certificate of %s is not valid before %s, and here it is %s: are both clocks right?",
					subjectOf(validity.Cert), from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))}
		}
		return &Refusal{Reason: CertificateExpired, Leaf: leaf, Text: clipError(err)}
	}
	return &Refusal{Reason: CertificateUntrusted, Leaf: leaf,
		Text: clipError(err) + "; the certificate must come from the configured client CA, for client authentication"}
}

// clipError returns the text of an error of crypto/x509, which may hold names
// that the peer has chosen, shortened.
func clipError(err error) string {
	const longest = 1000
	text := err.Error()
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}

// path checks one path by the revocation lists, and returns when it ends to be good.
func (v *Verifier) path(p certPath, leaf *x509.Certificate, now time.Time) (until time.Time, refusal *Refusal) {
	until = p.notAfter
	for _, l := range p.links {
		list := v.lists[l.issuer]
		if list == nil {
			continue
		}
		revoked := func(format string, args ...any) *Refusal {
			return &Refusal{Reason: CertificateRevoked, Leaf: leaf,
				Text: fmt.Sprintf(format, args...)}
		}
		if _, ok := list.serials[l.serial]; ok {
			return until, revoked("the certificate with serial number %X of %s is revoked", l.serial, clip(list.name))
		}
		if !v.refuseStale || list.next.IsZero() {
			continue
		}
		if now.After(list.next) {
			return until, revoked("the revocation list of %s is out of date since %s, and crl_stale is \"refuse\"", clip(list.name), list.next.Format(time.RFC3339))
		}
		until = earlier(until, list.next)
	}
	return until, nil
}
