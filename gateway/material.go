package gateway

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
)

// material is what the files named in [listen] and [metrics] hold.
type material struct {
	cfg         *config.Config // that names the files
	pair        tls.Certificate
	damage      string                 // which signature in it is damaged, in words; "": none
	cas         []*x509.Certificate    // of client_ca; nil when clients are asked for no certificate
	clients     [][]*x509.Certificate  // the CAs of each client, by its place in the file
	between     []*x509.Certificate    // the intermediates
	crls        []*x509.RevocationList // of crl, and those beside certificates
	beside      []listBeside           // those of crls that stand beside certificates
	issuerFiles []issuerFile           // the files that cas, clients and between are from, in the order of their keys
	odd         []odd                  // certificates that a file has twice, and damaged ones
	tickets     [][32]byte             // nil: crypto/tls makes its own
	web         tls.Certificate        // of [metrics]; without certificates: HTTP without TLS
	sums        sums                   // of the files
}

// loadMaterial reads those files through from, and says what is wrong with them.
// A name that is empty is skipped: it is not given, or has its mistake already.
func loadMaterial(cfg *config.Config, from *files.Snapshot) (m *material, mistakes config.Mistakes) {
	l := &cfg.Listen
	m = &material{cfg: cfg, sums: sumFiles(cfg, from)}
	m.pair, mistakes = loadPair(cfg, "listen", l.Certificate, l.PrivateKey, from)
	wrong := func(key string, err error) { mistakes = append(mistakes, cfg.MistakeAt(key, err.Error())) }
	if l.ClientCA != "" {
		all, err := m.readIssuers("listen.client_ca", l.ClientCA, from, certs.ParseCA)
		if err == nil {
			m.cas = all.Certificates
		} else {
			wrong("listen.client_ca", err)
		}
	}
	mistakes = append(mistakes, m.loadIssuers(cfg, from)...)
	mistakes = append(mistakes, m.checkLists(cfg)...)
	for i, path := range l.CRL {
		if path == "" {
			continue
		}
		if err := m.addCRLs(path, from); err != nil {
			wrong(fmt.Sprintf("listen.crl[%d]", i), err)
		}
	}
	if l.SessionTicketKeys != "" {
		var err error
		if m.tickets, err = readTicketKeys(l.SessionTicketKeys, from); err != nil {
			wrong("listen.session_ticket_keys", err)
		}
	}
	var more config.Mistakes
	m.web, more = loadPair(cfg, "metrics", cfg.Metrics.Certificate, cfg.Metrics.PrivateKey, from)
	if m.pair.Leaf != nil {
		m.damage = identity.Damage(m.chain(), slices.Concat(m.cas, m.between))
	}
	return m, append(mistakes, more...)
}

// loadPair reads the certificate and the key of a table: each for itself, so that
// both are reported, and that they do not fit only when each is good.
func loadPair(cfg *config.Config, table, certificate, key string, from *files.Snapshot) (pair tls.Certificate, mistakes config.Mistakes) {
	var chain []*x509.Certificate
	var private crypto.Signer
	wrong := func(key string, err error) {
		if err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(table+key, err.Error()))
		}
	}
	if certificate != "" {
		octets, err := from.Read(certificate, config.MaxCertificates)
		if err == nil {
			chain, err = certs.ParseCertificates(certificate, octets)
		}
		wrong(".certificate", err)
	}
	if key != "" {
		octets, err := from.Read(key, config.MaxKeys)
		if err == nil {
			private, err = certs.ParseKey(key, octets)
		}
		wrong(".private_key", err)
	}
	if chain == nil || private == nil {
		return pair, mistakes
	}
	pair, err := certs.Join(certificate, chain, key, private)
	wrong(".certificate", err)
	return pair, mistakes
}

func readTicketKeys(path string, from *files.Snapshot) ([][32]byte, error) {
	octets, err := from.Read(path, config.MaxKeys)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys: %w", err)
	}
	return certs.ParseTicketKeys(path, octets)
}
