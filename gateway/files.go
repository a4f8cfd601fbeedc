package gateway

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"radsec-gw/config"
	"radsec-gw/files"
)

// File is a file that the configuration names.
type File struct {
	Key, Path string
	Secret    bool // only the gateway may read it
}

// Files lists the files that the configuration names, each once, and itself.
func (p *Plan) Files() (all []File) {
	cfg := p.Config
	add := func(secret bool, key, path string) {
		if path != "" && !slices.ContainsFunc(all, func(f File) bool { return f.Path == path }) {
			all = append(all, File{key, path, secret})
		}
	}
	l, m := &cfg.Listen, &cfg.Metrics
	for _, s := range cfg.SecretFiles() {
		add(true, s.Key, s.Path)
	}
	add(true, "listen.private_key", l.PrivateKey)
	add(true, "listen.session_ticket_keys", l.SessionTicketKeys)
	add(true, "metrics.private_key", m.PrivateKey)
	add(false, "listen.certificate", l.Certificate)
	add(false, "listen.client_ca", l.ClientCA)
	for i, path := range l.CRL {
		add(false, fmt.Sprintf("listen.crl[%d]", i), path)
	}
	for i, path := range l.Intermediates {
		add(false, fmt.Sprintf("listen.intermediates[%d]", i), path)
	}
	for i := range cfg.Clients {
		for k, path := range cfg.Clients[i].CA {
			add(false, clientCAKey(cfg, i, k), path)
		}
	}
	add(false, "metrics.certificate", m.Certificate)
	add(false, "", cfg.Path)
	return all
}

// sums are the SHA-256 of what the files of a material held, by path; for one
// that could not be read, of the reason.
type sums map[string][32]byte

func sumFiles(cfg *config.Config, from *files.Snapshot) sums {
	all := sums{}
	add := func(limit int64, paths ...string) {
		for _, path := range paths {
			if path == "" {
				continue
			}
			octets, err := from.Read(path, limit)
			if err != nil {
				octets = []byte(err.Error())
			}
			all[path] = sha256.Sum256(octets)
		}
	}
	l, m := &cfg.Listen, &cfg.Metrics
	add(config.MaxCertificates, l.Certificate, l.ClientCA, m.Certificate)
	add(config.MaxKeys, l.PrivateKey, l.SessionTicketKeys, m.PrivateKey)
	add(config.MaxCRL, l.CRL...)
	add(config.MaxCertificates, l.Intermediates...)
	for i := range cfg.Clients {
		add(config.MaxCertificates, cfg.Clients[i].CA...)
	}
	return all
}
