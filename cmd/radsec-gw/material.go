package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/tlsfront"
)

// material is what the files named in [listen] hold.
type material struct {
	pair    tls.Certificate
	caPEM   []byte // nil when clients are asked for no certificate
	cas     []*x509.Certificate
	crls    []*x509.RevocationList
	tickets [][32]byte // nil: crypto/tls makes its own
	files   prints     // of what was read, or of something older
}

// loadMaterial reads those files, and says what is wrong with them. A name that
// is empty is skipped: it is not given, or has its mistake already.
func loadMaterial(cfg *config.Config) (m *material, mistakes config.Mistakes) {
	l := &cfg.Listen
	m = &material{files: printsOf(l)}
	var err error
	m.pair, mistakes = loadPair(cfg, "listen", l.Certificate, l.PrivateKey)
	if l.ClientCA != "" {
		if m.caPEM, m.cas, err = certs.LoadCA(l.ClientCA); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt("listen.client_ca", err.Error()))
		}
	}
	for i, path := range l.CRL {
		if path == "" {
			continue
		}
		if err := m.addCRLs(path); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(fmt.Sprintf("listen.crl[%d]", i), err.Error()))
		}
	}
	if l.SessionTicketKeys != "" {
		if m.tickets, err = readTicketKeys(l.SessionTicketKeys); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt("listen.session_ticket_keys", err.Error()))
		}
	}
	_, more := loadPair(cfg, "metrics", cfg.Metrics.Certificate, cfg.Metrics.PrivateKey)
	return m, append(mistakes, more...)
}

// loadPair reads the certificate and the key of a table: each for itself, so that
// both are reported, and that they do not fit only when each is good.
func loadPair(cfg *config.Config, table, certificate, key string) (pair tls.Certificate, mistakes config.Mistakes) {
	if certificate != "" {
		if _, err := certs.LoadCertificates(certificate); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(table+".certificate", err.Error()))
		}
	}
	if key != "" {
		if err := certs.CheckKey(key); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt(table+".private_key", err.Error()))
		}
	}
	if certificate == "" || key == "" || len(mistakes) > 0 {
		return pair, mistakes
	}
	pair, err := certs.LoadPair(certificate, key)
	if err != nil {
		mistakes = append(mistakes, cfg.MistakeAt(table+".certificate", err.Error()))
	}
	return pair, mistakes
}

func (m *material) addCRLs(path string) error {
	octets, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the revocation list: %w", err)
	}
	lists, err := tlsfront.ParseCRLs(octets)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, l := range lists {
		if m.cas != nil { // a CA that cannot be read is a mistake of its own
			if err := tlsfront.CheckCRL(l, m.cas); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	m.crls = append(m.crls, lists...)
	return nil
}

func readTicketKeys(path string) ([][32]byte, error) {
	octets, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys: %w", err)
	}
	keys, err := tlsfront.ParseTicketKeys(octets)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// prints are what the files of [listen] held when they were looked at, by path:
// the SHA-256 of the content, or of why it cannot be read.
type prints map[string][32]byte

func printsOf(l *config.Listen) prints {
	p := prints{}
	for _, path := range append([]string{l.Certificate, l.PrivateKey, l.ClientCA, l.SessionTicketKeys}, l.CRL...) {
		if path == "" {
			continue
		}
		octets, err := os.ReadFile(path)
		if err != nil {
			octets = []byte(err.Error())
		}
		p[path] = sha256.Sum256(octets)
	}
	return p
}
