package gateway

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
	"radsec-gw/routing"
)

// issuerFile is a file of certificates of issuers, which a key names.
type issuerFile struct {
	key, path string
	held      []*x509.Certificate
}

// issuers are the certificates that may have signed a revocation list.
func (m *material) issuers() []*x509.Certificate {
	return slices.Concat(m.cas, slices.Concat(m.clients...), m.between)
}

// loadIssuers reads the clients' own CAs and the intermediates.
func (m *material) loadIssuers(cfg *config.Config, from *files.Snapshot) (mistakes config.Mistakes) {
	read := func(key, path string, parse func(string, []byte) (*certs.Authorities, error)) []*x509.Certificate {
		if path == "" {
			return nil
		}
		all, err := m.readIssuers(key, path, from, parse)
		if err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(key, err.Error()))
			return nil
		}
		return all.Certificates
	}
	m.clients = make([][]*x509.Certificate, len(cfg.Clients))
	for i := range cfg.Clients {
		for k, path := range cfg.Clients[i].CA {
			m.clients[i] = append(m.clients[i], read(clientCAKey(cfg, i, k), path, certs.ParseCA)...)
		}
		for k, text := range cfg.Clients[i].SubjectRDN {
			if _, err := identity.ParseRDN(text); err != nil {
				mistakes = append(mistakes, cfg.MistakeAt(fmt.Sprintf("client[%d].subject_rdn[%d]", i, k), err.Error()))
			}
		}
	}
	mistakes = append(mistakes, realmMistakes(cfg)...)
	for i, path := range cfg.Listen.Intermediates {
		m.between = append(m.between, read(fmt.Sprintf("listen.intermediates[%d]", i), path, certs.ParseIntermediates)...)
	}
	return mistakes
}

// clientCAKey names the kth file of a client's own CAs: the key holds one name, or an
// array of them.
func clientCAKey(cfg *config.Config, client, k int) string {
	key := fmt.Sprintf("client[%d].ca", client)
	if len(cfg.Clients[client].CA) > 1 {
		key = fmt.Sprintf("%s[%d]", key, k)
	}
	return key
}

// realmMistakes looks at the realms and operators that clients may send as routing does.
func realmMistakes(cfg *config.Config) (mistakes config.Mistakes) {
	for i := range cfg.Clients {
		if len(cfg.Clients[i].Realms) == 0 {
			continue
		}
		_, err := routing.NewFilter(cfg.Clients[i].Realms, cfg.Clients[i].Operators, routingOptions(cfg))
		for _, m := range tableMistakes(cfg, err) {
			key := strings.Replace(m.Key, "route[0]", fmt.Sprintf("client[%d]", i), 1)
			mistakes = append(mistakes, cfg.MistakeAt(key, strings.ReplaceAll(m.Text, "route[0] takes", "the client may send")))
		}
	}
	return mistakes
}

// readIssuers reads certificates of issuers, and the revocation lists beside them: some
// programs expect them there, and revoked clients must not come in because nobody looks.
// Who has signed the lists is looked at when all issuers are known, by checkLists.
func (m *material) readIssuers(key, path string, from *files.Snapshot, parse func(string, []byte) (*certs.Authorities, error)) (*certs.Authorities, error) {
	octets, err := from.Read(path, config.MaxCertificates)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	all, err := parse(path, octets)
	if err != nil {
		return nil, err
	}
	m.issuerFiles = append(m.issuerFiles, issuerFile{key, path, all.Certificates})
	for _, err := range all.Warnings {
		m.odd = append(m.odd, odd{key, err})
	}
	for _, l := range all.CRLs {
		m.crls = append(m.crls, l)
		m.beside = append(m.beside, listBeside{key, path, l})
	}
	return all, nil
}

// odd says what deserves a second look in the file of a key.
type odd struct {
	key string
	err error
}
