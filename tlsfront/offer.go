package tlsfront

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// offer is the part of a peer's ClientHello because of which a handshake may fail.
type offer struct {
	seen     bool // a ClientHello has been parsed
	versions []uint16
	suites   []uint16
	groups   []tls.CurveID
}

// recordOffer records what the client offers, in case the handshake fails.
func (c *conn) recordOffer(hello *tls.ClientHelloInfo) {
	c.offered = offer{seen: true, versions: hello.SupportedVersions, suites: hello.CipherSuites, groups: hello.SupportedCurves}
	c.in.clear.helloDone()
}

// grease reports whether v is a meaningless value that a client adds on purpose
// (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// highest returns the highest version that is offered; 0 if crypto/tls knows none of them,
// as with SSL 3.
func (o *offer) highest() (v uint16) {
	for _, one := range o.versions {
		if !grease(one) {
			v = max(v, one)
		}
	}
	return v
}

// maxListed bounds the cipher suites of a peer in a text: a ClientHello contains up to
// 32,767.
const maxListed = 12

// listNames lists at most maxListed names that are not empty, and says how many it omits.
func listNames(names []string) string {
	known := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	known = known[:min(len(known), maxListed)]
	text := strings.Join(known, ", ")
	switch more := len(names) - len(known); {
	case len(names) == 0:
		return "none"
	case more > 0 && text == "":
		return fmt.Sprintf("%d without a known name", more)
	case more > 0:
		return fmt.Sprintf("%s and %d more", text, more)
	}
	return text
}

// namesOf returns the name of each value that is not GREASE.
func namesOf[T ~uint16](values []T, name func(T) string) (names []string) {
	for _, v := range values {
		if !grease(uint16(v)) {
			names = append(names, name(v))
		}
	}
	return names
}

// versionText lists the versions that are offered. crypto/tls reports no versions for a
// client that offers nothing newer than SSL 3.
func (o *offer) versionText() string {
	if len(o.versions) == 0 {
		return versionName(0x0300)
	}
	return listNames(namesOf(o.versions, versionName))
}

// explainSuites says which cipher suites are offered and which are supported, if no suite
// is in both lists; or else which groups.
func (p *policy) explainSuites(o *offer) string {
	supported := p.supportedSuites(o.highest())
	var names []string
	advice := "see cipher_suites, and the type of the key"
	for _, s := range supported {
		if slices.Contains(o.suites, s) {
			return fmt.Sprintf("the peer offers supported cipher suites, but no supported group for the key exchange: expected one of %s, got %s",
				listNames(namesOf(keyExchanges, groupName)), listNames(namesOf(o.groups, groupName)))
		}
		names = append(names, suiteName(s))
	}
	offered := slices.DeleteFunc(slices.Clone(o.suites), func(s uint16) bool { return s == 0x00ff || s == 0x5600 }) // signals (RFC 5746, RFC 7507)
	if allowed := p.allowableSuites(o); len(allowed) > 0 {
		advice = fmt.Sprintf("update the peer, or allow it with cipher_suites of [listen], which would have to have %s and the suites of the other clients", listNames(namesOf(allowed, suiteName)))
	}
	if o.highest() >= tls.VersionTLS13 {
		return fmt.Sprintf("the peer offers no supported cipher suite of TLS 1.3: expected one of %s, got %s",
			strings.Join(names, ", "), listNames(namesOf(offered, suiteName)))
	}
	return fmt.Sprintf("the peer offers no cipher suite that is supported with this gateway's %s: expected one of %s, got %s; %s",
		p.keyType(), strings.Join(names, ", "), listNames(namesOf(offered, suiteName)), advice)
}

// supportedSuites returns the cipher suites that are supported for a version of TLS: those
// of TLS 1.2 depend on the type of our key.
func (p *policy) supportedSuites(version uint16) (list []uint16) {
	for _, s := range p.usableSuites(version) {
		if version >= tls.VersionTLS13 || len(p.cfg.CipherSuites) == 0 || slices.Contains(p.cfg.CipherSuites, s) {
			list = append(list, s)
		}
	}
	return list
}

// allowableSuites returns the offered suites that the configuration could allow.
func (p *policy) allowableSuites(o *offer) []uint16 {
	return slices.DeleteFunc(p.usableSuites(o.highest()), func(s uint16) bool { return !slices.Contains(o.suites, s) })
}

// usableSuites returns the secure cipher suites of a version of TLS that our key can be used
// with.
func (p *policy) usableSuites(version uint16) (list []uint16) {
	var rsaKey, otherKey bool
	for _, c := range p.cfg.certificates() {
		_, isRSA := c.Certificate.PrivateKey.(*rsa.PrivateKey)
		rsaKey, otherKey = rsaKey || isRSA, otherKey || !isRSA
	}
	for _, s := range tls.CipherSuites() {
		switch {
		case !slices.Contains(s.SupportedVersions, min(version, tls.VersionTLS13)):
		case version >= tls.VersionTLS13:
			list = append(list, s.ID)
		case rsaKey && strings.Contains(s.Name, "_RSA_"), otherKey && !strings.Contains(s.Name, "_RSA_"):
			list = append(list, s.ID)
		}
	}
	return list
}

// keyType names the types of the gateway's keys.
func (p *policy) keyType() string {
	var types []string
	for _, c := range p.cfg.certificates() {
		name := "key"
		switch c.Certificate.PrivateKey.(type) {
		case *rsa.PrivateKey:
			name = "RSA key"
		case *ecdsa.PrivateKey:
			name = "ECDSA key"
		case ed25519.PrivateKey:
			name = "Ed25519 key"
		}
		if !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	return strings.Join(types, " and ")
}

// groupName returns a group's name in the registry; "" if it is neither known to
// crypto/tls nor a common old one.
func groupName(g tls.CurveID) string {
	names := map[tls.CurveID]string{
		tls.CurveP256: "secp256r1", tls.CurveP384: "secp384r1", tls.CurveP521: "secp521r1", tls.X25519: "x25519", 30: "x448",
		tls.X25519MLKEM768: "X25519MLKEM768", tls.SecP256r1MLKEM768: "SecP256r1MLKEM768", tls.SecP384r1MLKEM1024: "SecP384r1MLKEM1024",
		19: "secp192r1", 21: "secp224r1", 22: "secp256k1", 26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1",
		256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144", 260: "ffdhe8192",
	}
	return names[g]
}

// suiteName returns a cipher suite's name in the registry; "" for an uncommon one.
func suiteName(id uint16) string {
	if name := tls.CipherSuiteName(id); !strings.HasPrefix(name, "0x") {
		return name
	}
	return otherSuites[id]
}

// otherSuites are cipher suites of the IANA registry that clients offer and that
// crypto/tls has no name for.
var otherSuites = map[uint16]string{
	0x0004: "TLS_RSA_WITH_RC4_128_MD5", 0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
	0x0013: "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", 0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", 0x0018: "TLS_DH_anon_WITH_RC4_128_MD5",
	0x0032: "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", 0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0034: "TLS_DH_anon_WITH_AES_128_CBC_SHA",
	0x0038: "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", 0x003a: "TLS_DH_anon_WITH_AES_256_CBC_SHA",
	0x003d: "TLS_RSA_WITH_AES_256_CBC_SHA256", 0x0040: "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256",
	0x0041: "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", 0x0045: "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA",
	0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", 0x006b: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
	0x0084: "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", 0x0088: "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA",
	0x008c: "TLS_PSK_WITH_AES_128_CBC_SHA", 0x008d: "TLS_PSK_WITH_AES_256_CBC_SHA",
	0x009e: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009f: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
	0x00a2: "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", 0x00a3: "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384",
	0x00a8: "TLS_PSK_WITH_AES_128_GCM_SHA256", 0x00a9: "TLS_PSK_WITH_AES_256_GCM_SHA384",
	0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
	0xc008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
	0xc024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xc028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
	0xc09c: "TLS_RSA_WITH_AES_128_CCM", 0xc09d: "TLS_RSA_WITH_AES_256_CCM", 0xc09e: "TLS_DHE_RSA_WITH_AES_128_CCM", 0xc09f: "TLS_DHE_RSA_WITH_AES_256_CCM",
	0xc0ac: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", 0xc0ad: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", 0xc0ae: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
	0xccaa: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
