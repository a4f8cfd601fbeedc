package config

import (
	"crypto/tls"
	"slices"
	"strings"
)

// readCipherSuites takes the secure suites of TLS 1.2 (RFC 9325 §4.2, P102);
// those of TLS 1.3 are all secure, and cannot be chosen.
func readCipherSuites(t *table, l *Listen) {
	var names []string
	ids := map[string]uint16{}
	for _, s := range tls.CipherSuites() {
		if slices.Contains(s.SupportedVersions, tls.VersionTLS12) {
			names = append(names, s.Name)
			ids[s.Name] = s.ID
		}
	}
	insecure := tls.InsecureCipherSuites()
	t.texts("cipher_suites", func(path, s string) {
		id, ok := ids[s]
		switch {
		case ok:
			l.CipherSuites = append(l.CipherSuites, id)
		case slices.ContainsFunc(insecure, func(c *tls.CipherSuite) bool { return c.Name == s }):
			t.r.wrong(path, "%s is not secure (RFC 9325 §4); expected of %s", s, oneOf(names))
		default:
			t.r.wrong(path, "expected %s, got %q%s", oneOf(names), s, suggest(s, names))
		}
	})
}

// Suites returns the cipher suites of TLS 1.2 to accept.
func (l *Listen) Suites() []uint16 {
	if len(l.CipherSuites) > 0 {
		return l.CipherSuites
	}
	return AEADSuites()
}

// AEADSuites returns the cipher suites of TLS 1.2 that are accepted by default: those that
// encrypt and authenticate at once (RFC 9325 §4.2), with forward secrecy.
func AEADSuites() (list []uint16) {
	for _, s := range tls.CipherSuites() {
		aead := strings.Contains(s.Name, "_GCM_") || strings.Contains(s.Name, "_CHACHA20_POLY1305")
		if aead && slices.Contains(s.SupportedVersions, tls.VersionTLS12) {
			list = append(list, s.ID)
		}
	}
	return list
}
