package gateway

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
)

// material has the contents of the files that [listen], [[client]] and [metrics] name:
// certificates, keys and revocation lists. It is immutable once loaded.
type material struct {
	cfg    *config.Config // that names the files
	readAt time.Time
	sums   sums

	// the gateway's own certificates
	ownCertificate                // of [listen]
	web            ownCertificate // of [metrics]; if it is empty HTTP is served without TLS
	tickets        [][32]byte     // nil: crypto/tls makes its own

	// the issuers of the clients' certificates
	clientCAs     []*x509.Certificate   // of client_ca; nil if clients' certificates are not requested
	ownCAs        [][]*x509.Certificate // the CAs of each client, in the order of the clients
	intermediates []*x509.Certificate
	issuerFiles   []issuerFile   // the files that the issuers are from, in the order of their keys
	parseWarnings []parseWarning // of issuerFiles: damaged certificates, and those listed twice

	// revocation lists
	crls    []*x509.RevocationList // all of them
	bundled []bundledList          // those of crls that are in files of issuers
}

// loadMaterial reads the files from a snapshot, and returns what is wrong with them. An
// empty name is skipped: it is not configured, or already reported as a mistake.
func loadMaterial(cfg *config.Config, from *files.Snapshot) (m *material, mistakes config.Mistakes) {
	l := &cfg.Listen
	m = &material{cfg: cfg, readAt: time.Now(), sums: sumFiles(cfg, from)}
	m.ownCertificate.key, m.web.key = "listen.certificate", "metrics.certificate"
	m.pair, mistakes = loadPair(cfg, "listen", l.Certificate, l.PrivateKey, from)
	mistakes = append(mistakes, m.loadIssuers(cfg, from)...)
	mistakes = append(mistakes, m.checkBundled(cfg, from)...)
	mistakes = append(mistakes, m.loadLists(cfg, from)...)
	if l.SessionTicketKeys != "" {
		var err error
		if m.tickets, err = parseFile(from, "keys", l.SessionTicketKeys, config.MaxKeys, certs.ParseTicketKeys); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt("listen.session_ticket_keys", err.Error()))
		}
	}
	mistakes = append(mistakes, m.checkModes(from)...)
	var more config.Mistakes
	m.web.pair, more = loadPair(cfg, "metrics", cfg.Metrics.Certificate, cfg.Metrics.PrivateKey, from)
	mistakes = append(mistakes, m.findDamage(&m.ownCertificate, l.Certificate, from)...)
	mistakes = append(mistakes, m.findDamage(&m.web, cfg.Metrics.Certificate, from)...)
	return m, append(mistakes, more...)
}

// findDamage looks for a signature in the chain of c, which is from the file at path, that
// does not verify.
func (m *material) findDamage(c *ownCertificate, path string, from *files.Snapshot) config.Mistakes {
	if c.pair.Leaf == nil {
		return nil
	}
	err := from.Parse(path, func() error {
		c.damage = identity.Damage(c.chain(), slices.Concat(m.clientCAs, m.intermediates))
		return nil
	})
	if err != nil {
		return config.Mistakes{m.cfg.MistakeAt(c.key, err.Error())}
	}
	return nil
}

// loadPair reads the certificate and the key of a table. It parses each separately, so that
// the mistakes of both are reported, and checks that they match only if both are valid.
func loadPair(cfg *config.Config, table, certificate, key string, from *files.Snapshot) (pair tls.Certificate, mistakes config.Mistakes) {
	var chain []*x509.Certificate
	var private crypto.Signer
	report := func(key string, err error) {
		if err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(table+key, err.Error()))
		}
	}
	if certificate != "" {
		var err error
		chain, err = parseFile(from, "certificate", certificate, config.MaxCertificates, certs.ParseCertificates)
		report(".certificate", err)
	}
	if key != "" {
		var err error
		private, err = parseFile(from, "private key", key, config.MaxKeys, certs.ParseKey)
		report(".private_key", err)
	}
	if chain == nil || private == nil {
		return pair, mistakes
	}
	report(".certificate", from.Parse(certificate, func() (err error) {
		pair, err = certs.Join(certificate, chain, key, private)
		return err
	}))
	return pair, mistakes
}
