package gateway

import (
	"crypto/x509"
	"fmt"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
)

func (m *material) addCRLs(path string, from *files.Snapshot) error {
	octets, err := from.Read(path, config.MaxCRL)
	if err != nil {
		return fmt.Errorf("cannot read the revocation list: %w", err)
	}
	lists, err := certs.ParseCRLs(path, octets)
	if err != nil {
		return err
	}
	return m.take(path, lists)
}

// take adds the lists of the file at path, each of which a CA must have signed.
func (m *material) take(path string, lists []*x509.RevocationList) error {
	for _, l := range lists {
		if err := m.checkList(l); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	m.crls = append(m.crls, lists...)
	return nil
}

// listBeside is a revocation list that stands beside certificates in the file of a key.
type listBeside struct {
	key, path string
	list      *x509.RevocationList
}

// checkLists looks who has signed the lists beside certificates.
func (m *material) checkLists(cfg *config.Config) (mistakes config.Mistakes) {
	for _, l := range m.beside {
		if err := m.checkList(l.list); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(l.key, fmt.Sprintf("%s: %v", l.path, err)))
		}
	}
	return mistakes
}

func (m *material) checkList(l *x509.RevocationList) error {
	if m.cas == nil { // a CA that cannot be read is a mistake of its own
		return nil
	}
	_, err := identity.SignerOf(l, m.issuers())
	return err
}
