package tlsfront

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"radsec-gw/metrics"
)

// judge decides whether a certificate is good at a moment: its path to the
// CA, its validity, its revocation (RFC 5280 §6, RFC 6614bis §3.3.1). The same
// judge answers for a full handshake, a resumed one (RFC 6614bis §3.5) and a
// connection that has long been open, so the outcome cannot differ.
type judge struct {
	// static after construction
	auth        ClientAuth
	own         []byte // DER form of the gateway's certificate
	ca          []byte // the PEM that trust was read from
	trust       *trust
	lists       revocations
	refuseStale bool
	paths       *pathCache
}

// verdict is why a certificate is refused.
type verdict struct {
	handshake metrics.Handshake // what a handshake counts
	reason    metrics.Reason    // what an open connection is closed for
	text      string
	leaf      *x509.Certificate
}

func (v *verdict) Error() string { return v.text }

func newJudge(cfg *Config, before *judge) (*judge, error) {
	j := &judge{auth: cfg.ClientAuth, ca: cfg.ClientCA, refuseStale: cfg.RefuseStaleCRL, paths: newPathCache()}
	if len(cfg.Certificate.Certificate) > 0 {
		j.own = cfg.Certificate.Certificate[0]
	}
	cas := certificatesIn(cfg.ClientCA)
	j.trust = newTrust(cas)
	if len(cas) == 0 && cfg.ClientAuth != NoCertificate {
		return nil, errors.New("no certificate in the client CA: expected PEM blocks of type CERTIFICATE")
	}
	lists, err := newRevocations(cfg.CRLs, cas)
	if err != nil {
		return nil, err
	}
	j.lists = lists
	if before != nil && bytes.Equal(before.ca, j.ca) {
		j.paths = before.paths // a path is good for as long as its CA is trusted
	}
	return j, nil
}

// connection judges what a peer has shown in its handshake, or once before
// when the connection resumes a session. It returns when that ends to be
// good; the zero time means never.
func (j *judge) connection(cs *tls.ConnectionState, now time.Time) (until time.Time, err error) {
	if len(cs.PeerCertificates) == 0 {
		if j.auth == RequireCertificate {
			return until, &verdict{handshake: metrics.HandshakeNoCertificate, reason: metrics.ClosedNotAllowed,
				text: "the peer has shown no certificate, and client_auth requires one"}
		}
		return until, nil
	}
	if j.auth == NoCertificate {
		return until, nil // nobody asked for it, as when the policy was another when the connection began
	}
	return j.certificates(cs.PeerCertificates, now)
}

// certificates judges a leaf, which stands first, and what came with it.
func (j *judge) certificates(certs []*x509.Certificate, now time.Time) (until time.Time, err error) {
	leaf := certs[0]
	if bytes.Equal(leaf.Raw, j.own) {
		// RFC 6614bis §7.2.1: a loop of the gateway with itself.
		return until, &verdict{handshake: metrics.HandshakeOwnCertificate, reason: metrics.ClosedNotAllowed, leaf: leaf,
			text: "the peer shows this gateway's own certificate: a client that is the gateway itself, or a copy of its key"}
	}
	paths, err := j.pathsOf(certs, now)
	if err != nil {
		return until, err
	}
	var refused error
	for _, p := range paths {
		end, err := j.path(p, leaf, now)
		if err != nil {
			refused = err
		} else if end.After(until) {
			until = end
		}
	}
	if until.IsZero() {
		return until, refused
	}
	return until, nil
}

// pathsOf returns the paths that are valid now, from the cache or by verifying.
// crypto/tls asks before it verifies a signature of the leaf's key, so that a
// peer without a certificate of the client CA costs no more than checkSent and
// intermediates allow.
func (j *judge) pathsOf(certs []*x509.Certificate, now time.Time) ([]certPath, error) {
	key := keyOf(certs)
	if paths := j.paths.valid(key, now); len(paths) > 0 {
		return paths, nil
	}
	if err := j.trust.checkSent(certs); err != nil {
		return nil, &verdict{handshake: metrics.HandshakeExcessive, reason: metrics.ClosedNotAllowed, leaf: certs[0], text: err.Error()}
	}
	if !j.trust.reaches(certs) {
		return nil, untrusted(certs[0], fmt.Errorf("nothing that the peer sent was issued by a certificate of the client CA: its certificate was issued by %s", issuerOf(certs[0])), now)
	}
	between := x509.NewCertPool()
	for _, c := range j.trust.intermediates(certs) {
		between.AddCert(c)
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{Roots: j.trust.roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil, untrusted(certs[0], err, now)
	}
	paths := pathsIn(chains)
	j.paths.put(key, paths)
	return paths, nil
}

func untrusted(leaf *x509.Certificate, err error, now time.Time) error {
	var validity x509.CertificateInvalidError
	if errors.As(err, &validity) && validity.Reason == x509.Expired { // x509's word for both ends
		if from := validity.Cert.NotBefore; now.Before(from) {
			return &verdict{handshake: metrics.HandshakeEarlyCertificate, reason: metrics.ClosedExpired, leaf: leaf,
				text: fmt.Sprintf("the certificate of %s is not valid before %s, and here it is %s: are both clocks right?",
					subjectOf(validity.Cert), from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))}
		}
		return &verdict{handshake: metrics.HandshakeExpiredCertificate, reason: metrics.ClosedExpired, text: clipError(err), leaf: leaf}
	}
	return &verdict{handshake: metrics.HandshakeUntrustedCertificate, reason: metrics.ClosedRevoked, leaf: leaf,
		text: clipError(err) + "; the certificate must come from the configured client CA, for client authentication"}
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

// path judges one path by the revocation lists, and returns when it ends to be good.
func (j *judge) path(p certPath, leaf *x509.Certificate, now time.Time) (until time.Time, err error) {
	until = p.notAfter
	for _, l := range p.links {
		list := j.lists[l.issuer]
		if list == nil {
			continue
		}
		revoked := func(format string, args ...any) error {
			return &verdict{handshake: metrics.HandshakeRevokedCertificate, reason: metrics.ClosedRevoked, leaf: leaf,
				text: fmt.Sprintf(format, args...)}
		}
		if _, ok := list.serials[l.serial]; ok {
			return until, revoked("the certificate with serial number %X of %s is revoked", l.serial, clip(list.name))
		}
		if !j.refuseStale || list.next.IsZero() {
			continue
		}
		if now.After(list.next) {
			return until, revoked("the revocation list of %s is out of date since %s, and crl_stale is \"refuse\"", clip(list.name), list.next.Format(time.RFC3339))
		}
		until = earlier(until, list.next)
	}
	return until, nil
}
