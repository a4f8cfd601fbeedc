package gateway

import (
	"crypto/x509"
	"fmt"
	"slices"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
)

// bundledList is a revocation list in the same file as certificates of issuers.
type bundledList struct {
	key, path string // of the file
	list      *x509.RevocationList
}

// loadLists reads the revocation lists that crl of the fronts names, each file once. The
// issuers must be loaded.
func (m *material) loadLists(cfg *config.Config, from *files.Snapshot) (mistakes config.Mistakes) {
	read := map[string]bool{}
	for _, f := range cfg.Fronts() {
		for i, path := range f.Listen.CRL {
			if path == "" || read[path] || config.IsURL(path) {
				continue
			}
			read[path] = true
			if err := m.readLists(path, from); err != nil {
				mistakes = append(mistakes, cfg.MistakeAt(fmt.Sprintf("%s[%d]", f.Key("crl"), i), err.Error()))
			}
		}
	}
	return mistakes
}

// readLists reads the lists of a file, each of which an issuer must have signed.
func (m *material) readLists(path string, from *files.Snapshot) error {
	lists, err := parseFile(from, "revocation list", path, config.MaxCRL, certs.ParseCRLs)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if err := from.Parse(path, func() error { return m.checkSigner(l) }); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	m.crls = append(m.crls, lists...)
	return nil
}

// checkBundled checks that an issuer has signed each of the bundled lists.
func (m *material) checkBundled(cfg *config.Config, from *files.Snapshot) (mistakes config.Mistakes) {
	for _, l := range m.bundled {
		if err := from.Parse(l.path, func() error { return m.checkSigner(l.list) }); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(l.key, fmt.Sprintf("%s: %v", l.path, err)))
		}
	}
	return mistakes
}

// checkSigner checks that an issuer has signed a list.
func (m *material) checkSigner(l *x509.RevocationList) error {
	if slices.ContainsFunc(m.fronts, func(f *frontMaterial) bool { return f.clientCAs == nil && f.Listen.ClientAuth != config.AuthNone }) { // a CA that cannot be read is a mistake of its own
		return nil
	}
	_, err := identity.SignerOf(l, m.issuers())
	return err
}
