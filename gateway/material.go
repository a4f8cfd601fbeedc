package gateway

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
)

// material has the contents of the files that [listen], [[listener]], [[certificate]],
// [[client]] and [metrics] name: certificates, keys and revocation lists. It is immutable once loaded.
type material struct {
	cfg    *config.Config // that names the files
	readAt time.Time
	sums   sums

	fronts []*frontMaterial  // of [listen], then of each [[listener]]
	own    []*ownCertificate // that the gateway presents, that of [listen] first and that of [metrics] last
	web    *ownCertificate   // the last; if it is empty HTTP is served without TLS

	// the issuers of the clients' certificates
	ownCAs        [][]*x509.Certificate // the CAs of each client, in the order of the clients
	issuerFiles   []issuerFile          // the files that the issuers are from, in the order of their keys
	parseWarnings []parseWarning        // of issuerFiles: damaged certificates, and those listed twice

	// revocation lists
	crls    []*x509.RevocationList // all of them
	bundled []bundledList          // those of crls that are in files of issuers
	fetched fetched                // those of crls that were fetched
}

// loadMaterial reads the files from a snapshot, and returns what is wrong with them. An
// empty name is skipped: it is not configured, or already reported as a mistake.
func loadMaterial(cfg *config.Config, from *files.Snapshot) (m *material, mistakes config.Mistakes) {
	m = &material{cfg: cfg, readAt: time.Now(), sums: sumFiles(cfg, from)}
	mistakes = m.loadOwnCAs(cfg, from)
	mistakes = append(mistakes, m.loadFronts(cfg, from)...)
	mistakes = append(mistakes, m.checkBundled(cfg, from)...)
	mistakes = append(mistakes, m.loadLists(cfg, from)...)
	m.distributeLists()
	mistakes = append(mistakes, m.checkModes(from)...)
	mistakes = append(mistakes, clusterMistakes(cfg, from)...)
	m.web = &ownCertificate{key: "metrics.certificate", path: cfg.Metrics.Certificate}
	var more config.Mistakes
	m.web.pair, more = loadPair(cfg, "metrics", cfg.Metrics.Certificate, cfg.Metrics.PrivateKey, from)
	m.own = append(m.own, m.web)
	for _, c := range m.own {
		mistakes = append(mistakes, m.findDamage(c, from)...)
	}
	return m, append(mistakes, more...)
}

// presented returns the certificates that RadSec clients may get.
func (m *material) presented() (list []*ownCertificate) {
	for _, c := range m.own {
		if c != m.web {
			list = append(list, c)
		}
	}
	return list
}

// known returns the certificates of issuers that may have signed the gateway's own.
func (m *material) known() (list []*x509.Certificate) {
	for _, f := range m.fronts {
		list = append(append(list, f.clientCAs...), f.intermediates...)
	}
	return list
}

// findDamage looks for a signature in the chain of c that does not verify.
func (m *material) findDamage(c *ownCertificate, from *files.Snapshot) config.Mistakes {
	if c.pair.Leaf == nil {
		return nil
	}
	err := from.Parse(c.path, func() error {
		c.damage = identity.Damage(c.chain(), m.known())
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
