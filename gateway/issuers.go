package gateway

import (
	"crypto/x509"
	"slices"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
)

// issuerFile is a file with certificates of issuers, and the key that names it.
type issuerFile struct {
	key, path    string
	certificates []*x509.Certificate
}

// parseWarning is something suspicious in the file that a key names.
type parseWarning struct {
	key string
	err error
}

// issuers returns the certificates that may have signed a revocation list.
func (m *material) issuers() []*x509.Certificate {
	list := m.known()
	return append(list, slices.Concat(m.ownCAs...)...)
}

// loadOwnCAs reads the clients' own CAs.
func (m *material) loadOwnCAs(cfg *config.Config, from *files.Snapshot) (mistakes config.Mistakes) {
	m.ownCAs = make([][]*x509.Certificate, len(cfg.Clients))
	for i := range cfg.Clients {
		for k, path := range cfg.Clients[i].CA {
			if path == "" {
				continue
			}
			key := clientCAKey(cfg, i, k)
			all, err := m.readIssuers(key, path, from, certs.ParseCA)
			if err != nil {
				mistakes = append(mistakes, cfg.MistakeAt(key, err.Error()))
			}
			m.ownCAs[i] = append(m.ownCAs[i], all...)
		}
	}
	return mistakes
}

// readIssuers reads the certificates of a file of issuers, and the revocation lists beside
// them: some programs expect the lists there, and a client that such a list revokes must
// be refused. checkBundled checks who has signed the lists, when all issuers are known.
func (m *material) readIssuers(key, path string, from *files.Snapshot, parse func(string, []byte) (*certs.Authorities, error)) ([]*x509.Certificate, error) {
	all, err := parseFile(from, "certificate", path, config.MaxCertificates, parse)
	if err != nil {
		return nil, err
	}
	m.issuerFiles = append(m.issuerFiles, issuerFile{key, path, all.Certificates})
	for _, err := range all.Warnings {
		m.parseWarnings = append(m.parseWarnings, parseWarning{key, err})
	}
	for _, l := range all.CRLs {
		m.crls = append(m.crls, l)
		m.bundled = append(m.bundled, bundledList{key, path, l})
	}
	return all.Certificates, nil
}
