package gateway

import (
	"fmt"
	"slices"
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
