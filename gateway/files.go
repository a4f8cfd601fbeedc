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
	Key    string // the configuration key that names it; "" for the configuration itself
	Path   string
	Secret bool  // only the gateway may read it
	limit  int64 // of its size in bytes; 0 for a file that config reads
}

// Files lists the files that the configuration names, each once, and those of the
// configuration itself.
func (p *Plan) Files() []File { return allFiles(p.Config) }

// allFiles is Files of a configuration.
func allFiles(cfg *config.Config) (all []File) {
	list := listFiles(cfg)
	for _, path := range cfg.Files() {
		list = append(list, File{Path: path})
	}
	for _, f := range list {
		if !slices.ContainsFunc(all, func(o File) bool { return o.Path == f.Path }) {
			all = append(all, f)
		}
	}
	return all
}

// listFiles lists the files that the configuration names, those with secrets first.
func listFiles(cfg *config.Config) (all []File) {
	add := func(secret bool, limit int64, key, path string) {
		if path != "" {
			all = append(all, File{Key: key, Path: path, Secret: secret, limit: limit})
		}
	}
	m := &cfg.Metrics
	for _, s := range cfg.SecretFiles() {
		add(true, 0, s.Key, s.Path)
	}
	fronts := cfg.Fronts()
	for _, f := range fronts {
		add(true, config.MaxKeys, f.Key("private_key"), f.Listen.PrivateKey)
		add(true, config.MaxKeys, f.Key("session_ticket_keys"), f.Listen.SessionTicketKeys)
	}
	for i := range cfg.Certificates {
		add(true, config.MaxKeys, fmt.Sprintf("certificate[%d].private_key", i), cfg.Certificates[i].PrivateKey)
	}
	add(true, config.MaxKeys, "metrics.private_key", m.PrivateKey)
	add(true, config.MaxKeys, "cluster.credentials_file", cfg.Cluster.CredentialsFile)
	add(true, config.MaxKeys, "cluster.private_key", cfg.Cluster.PrivateKey)
	for _, f := range fronts {
		add(false, config.MaxCertificates, f.Key("certificate"), f.Listen.Certificate)
		add(false, config.MaxCertificates, f.Key("client_ca"), f.Listen.ClientCA)
		for i, path := range f.Listen.CRL {
			if config.IsURL(path) {
				continue
			}
			add(false, config.MaxCRL, fmt.Sprintf("%s[%d]", f.Key("crl"), i), path)
		}
		for i, path := range f.Listen.Intermediates {
			add(false, config.MaxCertificates, fmt.Sprintf("%s[%d]", f.Key("intermediates"), i), path)
		}
	}
	for i := range cfg.Certificates {
		add(false, config.MaxCertificates, fmt.Sprintf("certificate[%d].certificate", i), cfg.Certificates[i].Certificate)
	}
	for i := range cfg.Clients {
		for k, path := range cfg.Clients[i].CA {
			add(false, config.MaxCertificates, clientCAKey(cfg, i, k), path)
		}
	}
	add(false, config.MaxCertificates, "metrics.certificate", m.Certificate)
	add(false, config.MaxCertificates, "cluster.certificate", cfg.Cluster.Certificate)
	add(false, config.MaxCertificates, "cluster.ca", cfg.Cluster.CA)
	return all
}

// clientCAKey names the kth file of a client's own CAs: the key holds one name, or an
// array of names.
func clientCAKey(cfg *config.Config, client, k int) string {
	key := fmt.Sprintf("client[%d].ca", client)
	if len(cfg.Clients[client].CA) > 1 {
		key = fmt.Sprintf("%s[%d]", key, k)
	}
	return key
}

// sums holds the SHA-256 of the contents of each file of a material, by path; for a file
// that could not be read, the SHA-256 of the reason.
type sums map[string][32]byte

func sumFiles(cfg *config.Config, from *files.Snapshot) sums {
	all := sums{}
	for _, f := range listFiles(cfg) {
		if f.limit == 0 {
			continue
		}
		b, err := from.Read(f.Path, f.limit)
		if err != nil {
			b = []byte(err.Error())
		}
		all[f.Path] = sha256.Sum256(b)
	}
	return all
}
