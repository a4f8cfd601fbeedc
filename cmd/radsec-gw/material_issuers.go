package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
	"radsec-gw/routing"
)

// loadIssuers reads the clients' own CAs and the intermediates.
func (m *material) loadIssuers(cfg *config.Config, from *files.Snapshot) (mistakes config.Mistakes) {
	read := func(key, path string, parse func(path string, octets []byte) ([]*x509.Certificate, error)) (list []*x509.Certificate) {
		if path == "" {
			return nil
		}
		octets, err := from.Read(path, config.MaxCertificates)
		if err == nil {
			list, err = parse(path, octets)
		}
		if err == nil {
			err = m.addBeside(key, octets)
		}
		if err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(key, err.Error()))
		}
		return list
	}
	m.clients = make([][]*x509.Certificate, len(cfg.Clients))
	for i := range cfg.Clients {
		paths := cfg.Clients[i].CA
		for k, path := range paths {
			key := fmt.Sprintf("client[%d].ca", i)
			if len(paths) > 1 {
				key = fmt.Sprintf("%s[%d]", key, k)
			}
			m.clients[i] = append(m.clients[i], read(key, path, func(path string, octets []byte) ([]*x509.Certificate, error) {
				_, list, err := certs.ParseCA(path, octets)
				return list, err
			})...)
		}
		for k, text := range cfg.Clients[i].SubjectRDN {
			if _, err := identity.ParseRDN(text); err != nil {
				mistakes = append(mistakes, cfg.MistakeAt(fmt.Sprintf("client[%d].subject_rdn[%d]", i, k), err.Error()))
			}
		}
	}
	mistakes = append(mistakes, realmMistakes(cfg)...)
	for i, path := range cfg.Listen.Intermediates {
		m.between = append(m.between, read(fmt.Sprintf("listen.intermediates[%d]", i), path, certs.ParseCertificates)...)
	}
	return mistakes
}

// realmMistakes looks at the realms that clients may send as routing does.
func realmMistakes(cfg *config.Config) (mistakes config.Mistakes) {
	for i := range cfg.Clients {
		if len(cfg.Clients[i].Realms) == 0 {
			continue
		}
		_, err := routing.NewFilter(cfg.Clients[i].Realms, routingOptions(cfg))
		for _, m := range tableMistakes(cfg, err) {
			key := strings.Replace(m.Key, "route[0]", fmt.Sprintf("client[%d]", i), 1)
			mistakes = append(mistakes, cfg.MistakeAt(key, strings.ReplaceAll(m.Text, "route[0] takes", "the client may send")))
		}
	}
	return mistakes
}

// issuers are the certificates that may have signed a revocation list.
func (m *material) issuers() []*x509.Certificate {
	return slices.Concat(m.cas, slices.Concat(m.clients...), m.between)
}

// listBeside is a revocation list that stands beside certificates in the file of a key.
type listBeside struct {
	key  string
	list *x509.RevocationList
}

// checkLists looks who has signed the lists beside certificates.
func (m *material) checkLists(cfg *config.Config) (mistakes config.Mistakes) {
	for _, l := range m.beside {
		if err := m.checkList(l.list); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(l.key, err.Error()))
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

// addBeside adds the revocation lists that stand beside certificates in the PEM file of
// a key: some programs expect them there, and revoked clients must not come in because
// nobody looks.
func (m *material) addBeside(key string, octets []byte) error {
	for rest := octets; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return nil
		}
		if b.Type != "X509 CRL" {
			continue
		}
		lists, err := identity.ParseCRLs(pem.EncodeToMemory(b))
		if err != nil {
			return err
		}
		for _, l := range lists {
			m.crls = append(m.crls, l)
			m.beside = append(m.beside, listBeside{key, l})
		}
	}
}
