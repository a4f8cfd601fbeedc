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

// frontMaterial has what the files hold that one front names, or shares with [listen].
type frontMaterial struct {
	config.Front
	certificates  []*ownCertificate // that it presents, its own first; none if that has a mistake
	tickets       [][32]byte        // nil: crypto/tls makes its own
	clientCAs     []*x509.Certificate
	intermediates []*x509.Certificate
	ownCAs        [][]*x509.Certificate  // of the clients that it accepts
	crls          []*x509.RevocationList // of all lists, those whose issuers count here
	awaited       bool                   // a URL of its crl has not delivered a list
}

// issuers returns the certificates that sign for the front's clients.
func (f *frontMaterial) issuers() []*x509.Certificate {
	return slices.Concat(f.clientCAs, slices.Concat(f.ownCAs...), f.intermediates)
}

// frontLoader reads the files of fronts. A key of [listen] that several fronts have is read
// once, so that its mistakes are noted once, and its certificate is one.
type frontLoader struct {
	*material
	from     *files.Snapshot
	mistakes config.Mistakes

	own     map[string]*ownCertificate // by key
	issuers map[string][]*x509.Certificate
	tickets map[string][][32]byte
}

// loadFronts reads the certificates, keys and CAs of all fronts. The clients' own CAs must be
// loaded.
func (m *material) loadFronts(cfg *config.Config, from *files.Snapshot) config.Mistakes {
	l := &frontLoader{material: m, from: from, own: map[string]*ownCertificate{}, issuers: map[string][]*x509.Certificate{}, tickets: map[string][][32]byte{}}
	for _, f := range cfg.Fronts() {
		m.fronts = append(m.fronts, l.load(f))
	}
	return l.mistakes
}

// load reads the files of one front.
func (l *frontLoader) load(f config.Front) *frontMaterial {
	out := &frontMaterial{Front: f}
	add := func(table, key string, c *config.Certificate) {
		if one := l.certificate(table, key, c); one.pair.Leaf != nil {
			out.certificates = append(out.certificates, one)
		}
	}
	key := f.Key("certificate")
	add(tableOf(key), key, &config.Certificate{Certificate: f.Listen.Certificate, PrivateKey: f.Listen.PrivateKey})
	for i := range l.cfg.Certificates {
		if c := &l.cfg.Certificates[i]; f.Presents(c) {
			table := fmt.Sprintf("certificate[%d]", i)
			add(table, table+".certificate", c)
		}
	}
	out.clientCAs = l.readOnce(f.Key("client_ca"), f.Listen.ClientCA, certs.ParseCA)
	for i, path := range f.Listen.Intermediates {
		out.intermediates = append(out.intermediates, l.readOnce(fmt.Sprintf("%s[%d]", f.Key("intermediates"), i), path, certs.ParseIntermediates)...)
	}
	for i := range l.cfg.Clients {
		if f.Accepts(&l.cfg.Clients[i]) {
			out.ownCAs = append(out.ownCAs, l.ownCAs[i])
		}
	}
	out.tickets = l.ticketKeys(f.Key("session_ticket_keys"), f.Listen.SessionTicketKeys)
	return out
}

// tableOf returns the table of a key: "listener[0]" of "listener[0].certificate".
func tableOf(key string) string { return key[:len(key)-len(".certificate")] }

// certificate reads a certificate of the gateway and its private key.
func (l *frontLoader) certificate(table, key string, c *config.Certificate) *ownCertificate {
	if known := l.own[key]; known != nil {
		return known
	}
	one := &ownCertificate{key: key, path: c.Certificate, names: c.Names}
	var wrong config.Mistakes
	one.pair, wrong = loadPair(l.cfg, table, c.Certificate, c.PrivateKey, l.from)
	l.mistakes = append(l.mistakes, wrong...)
	l.own[key] = one
	l.material.own = append(l.material.own, one)
	return one
}

// readOnce reads a file of issuers.
func (l *frontLoader) readOnce(key, path string, parse func(string, []byte) (*certs.Authorities, error)) []*x509.Certificate {
	if path == "" {
		return nil
	}
	all, known := l.issuers[key]
	if known {
		return all
	}
	all, err := l.readIssuers(key, path, l.from, parse)
	if err != nil {
		l.mistakes = append(l.mistakes, l.cfg.MistakeAt(key, err.Error()))
	}
	l.issuers[key] = all
	return all
}

// ticketKeys reads a file of ticket keys.
func (l *frontLoader) ticketKeys(key, path string) [][32]byte {
	if path == "" {
		return nil
	}
	keys, known := l.tickets[key]
	if known {
		return keys
	}
	keys, err := parseFile(l.from, "keys", path, config.MaxKeys, certs.ParseTicketKeys)
	if err != nil {
		l.mistakes = append(l.mistakes, l.cfg.MistakeAt(key, err.Error()))
	}
	l.tickets[key] = keys
	return keys
}

// distributeLists gives each front the revocation lists whose issuers count there. A list
// counts wherever its issuer's certificates do, whichever table names it.
func (m *material) distributeLists() {
	for _, f := range m.fronts {
		if len(m.fronts) == 1 { // each list was checked already
			f.crls = m.crls
			return
		}
		issuers := f.issuers()
		for _, l := range m.crls {
			if _, err := identity.SignerOf(l, issuers); err == nil {
				f.crls = append(f.crls, l)
			}
		}
	}
}
