package gateway

import (
	"crypto/x509"
	"fmt"

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

// loadLists reads the revocation lists of [listen].crl. The issuers must be loaded.
func (m *material) loadLists(cfg *config.Config, from *files.Snapshot) (mistakes config.Mistakes) {
	for i, path := range cfg.Listen.CRL {
		if path == "" {
			continue
		}
		if err := m.readLists(path, from); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(fmt.Sprintf("listen.crl[%d]", i), err.Error()))
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
	if m.clientCAs == nil { // a CA that cannot be read is a mistake of its own
		return nil
	}
	_, err := identity.SignerOf(l, m.issuers())
	return err
}
