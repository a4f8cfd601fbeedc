package identity

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// unreached returns the refusal of certificates whose names do not lead to a configured
// CA. Often the peer has not sent its intermediates.
func (t *trust) unreached(certs []*x509.Certificate) *Refusal {
	leaf := certs[0]
	text := fmt.Sprintf("the certificate of %s", subjectOf(leaf))
	top := leaf
	for range certs { // find the last of the line that was sent
		i := slices.IndexFunc(certs[1:], func(c *x509.Certificate) bool { return string(c.RawSubject) == string(top.RawIssuer) })
		if i < 0 || selfIssued(top) {
			break
		}
		top = certs[i+1]
	}
	if top != leaf {
		text += fmt.Sprintf(" leads to that of %s", subjectOf(top))
	}
	if selfIssued(top) {
		text += ", which is self-signed and is not a configured CA: expected a certificate of a CA in client_ca, or of the client's ca"
	} else {
		text += fmt.Sprintf(": its issuer %s is not in client_ca or a client's ca, and was not sent: "+
			"expected a certificate of a configured CA; if it is an intermediate of one, configure the peer to send its intermediates, or put it in [listen].intermediates", issuerOf(top))
	}
	return &Refusal{Reason: CertificateUntrusted, Leaf: leaf, Text: text}
}

// diagnose finds the certificate because of which crypto/x509 found no path. Its own
// errors name the leaf even if another certificate is at fault, or none. sent are the
// genuine intermediates that the peer sent.
func (t *trust) diagnose(certs, sent []*x509.Certificate, err error, now time.Time) *Refusal {
	leaf := certs[0]
	line := t.lineAbove(leaf, sent)
	for i, c := range line {
		which := t.which(i, c)
		switch {
		case now.After(c.NotAfter):
			return &Refusal{Reason: CertificateExpired, Leaf: leaf, Text: fmt.Sprintf("%s expired on %s, and the time here is %s%s",
				which, stamp(c.NotAfter), stamp(now), renewal(i))}
		case now.Before(c.NotBefore):
			return &Refusal{Reason: CertificateEarly, Leaf: leaf, Text: fmt.Sprintf("%s is not valid before %s, and the time here is %s: are both clocks right?",
				which, stamp(c.NotBefore), stamp(now))}
		case len(c.UnhandledCriticalExtensions) > 0:
			return &Refusal{Reason: CertificateUnsuited, Leaf: leaf, Text: fmt.Sprintf("%s has the critical extension %s, which is not supported (RFC 5280 §4.2): expected only supported critical extensions",
				which, Few(c.UnhandledCriticalExtensions))}
		case !forClients(c):
			return &Refusal{Reason: CertificateUnsuited, Leaf: leaf, Text: fmt.Sprintf("%s has extendedKeyUsage %s only; expected clientAuth (1.3.6.1.5.5.7.3.2), or no extendedKeyUsage at all",
				which, usages(c))}
		case i > 0 && !t.isAnchor(c) && !(c.BasicConstraintsValid && c.IsCA):
			return &Refusal{Reason: CertificateUnsuited, Leaf: leaf, Text: fmt.Sprintf("%s is not a CA (basicConstraints), but signed another certificate", which)}
		}
	}
	var unsuited x509.CertificateInvalidError
	if errors.As(err, &unsuited) {
		return &Refusal{Reason: CertificateUnsuited, Leaf: leaf, Text: fmt.Sprintf("the certificate of %s has a path to a configured CA that its issuers do not allow: %s", subjectOf(leaf), plain(err))}
	}
	text := fmt.Sprintf("the certificate of %s does not lead to a configured CA: %s", subjectOf(leaf), plain(err))
	if len(line) == 1 {
		text = fmt.Sprintf("the certificate of %s names an issuer that is configured or was sent, %s, but was signed by another key", subjectOf(leaf), issuerOf(leaf))
		if i := slices.IndexFunc(certs[1:], func(c *x509.Certificate) bool { return string(c.RawSubject) == string(leaf.RawIssuer) && !maySign(c) }); i >= 0 {
			text = fmt.Sprintf("the certificate of %s is signed by %s, which may not sign certificates: it is not a CA (basicConstraints), or lacks keyCertSign (keyUsage)", subjectOf(leaf), subjectOf(certs[i+1]))
		}
	}
	return &Refusal{Reason: CertificateUntrusted, Leaf: leaf, Text: text + "; expected a certificate of a CA in client_ca, or of the client's ca"}
}

// lineAbove returns the leaf, its issuer, the issuer's issuer and so on, up to an anchor
// if there is one. Of several certificates of an issuer it takes the one that expires
// last.
func (t *trust) lineAbove(leaf *x509.Certificate, sent []*x509.Certificate) []*x509.Certificate {
	line := []*x509.Certificate{leaf}
	for c := leaf; !t.isAnchor(c) && len(line) <= maxSentCertificates; {
		var best *x509.Certificate
		for _, issuer := range append(slices.Clone(sent), t.issuers[string(c.RawIssuer)]...) {
			if slices.Contains(line, issuer) || !issuedByAny(c, []*x509.Certificate{issuer}) {
				continue
			}
			if best == nil || issuer.NotAfter.After(best.NotAfter) {
				best = issuer
			}
		}
		if best == nil {
			break
		}
		line = append(line, best)
		c = best
	}
	return line
}

func (t *trust) isAnchor(c *x509.Certificate) bool {
	a, _ := t.anchor(c)
	return a != nil
}

// which describes certificate i of the line above the leaf.
func (t *trust) which(i int, c *x509.Certificate) string {
	switch {
	case i == 0:
		return "the certificate of " + subjectOf(c)
	case t.isAnchor(c):
		return "the configured CA certificate of " + subjectOf(c)
	case t.contains(c):
		return "the intermediate certificate of " + subjectOf(c) + " in [listen].intermediates"
	}
	return "the intermediate certificate of " + subjectOf(c) + ", which the peer sent,"
}

func renewal(i int) string {
	if i == 0 {
		return ": give the peer a new one"
	}
	return ": renew it; the peer's own certificate is not the reason"
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// forClients reports whether extendedKeyUsage allows a certificate in the path of a
// client (RFC 5280 §4.2.1.12).
func forClients(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// maySign reports whether a certificate may sign others (RFC 5280 §4.2.1.3, §4.2.1.9).
func maySign(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

// usages lists the purposes in extendedKeyUsage.
func usages(c *x509.Certificate) string {
	names := map[x509.ExtKeyUsage]string{
		x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageCodeSigning: "codeSigning", x509.ExtKeyUsageEmailProtection: "emailProtection",
		x509.ExtKeyUsageTimeStamping: "timeStamping", x509.ExtKeyUsageOCSPSigning: "OCSPSigning",
	}
	var list []string
	for _, u := range c.ExtKeyUsage {
		name := names[u]
		if name == "" {
			name = u.String()
		}
		list = append(list, name)
	}
	for _, oid := range c.UnknownExtKeyUsage {
		list = append(list, asn1.ObjectIdentifier(oid).String())
	}
	return Few(list)
}

// plain returns the text of an error of crypto/x509 without the name of the package. It
// may contain names that the peer chose, so it is shortened.
func plain(err error) string {
	const longest = 1000
	return Clip(strings.ReplaceAll(err.Error(), "x509: ", ""), longest)
}
