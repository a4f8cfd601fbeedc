package gateway

import (
	"crypto/x509"
	"path/filepath"
	"slices"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// exportExpiry sets the metrics that say when the first certificate of each file expires.
func (g *Gateway) exportExpiry(m *material) {
	var list []metrics.CertificateFile
	add := func(what, path string, certificates []*x509.Certificate) {
		if path == "" || len(certificates) == 0 || slices.ContainsFunc(list, func(c metrics.CertificateFile) bool { return c.For == what && c.File == path }) {
			return
		}
		list = append(list, metrics.CertificateFile{For: what, File: path, Expires: identity.EarliestExpiry(certificates)})
	}
	for _, c := range m.own {
		add(c.purpose(), c.path, c.chain())
	}
	for _, f := range m.issuerFiles {
		add(purposeOf(f.key), f.path, f.certificates)
	}
	for i := range list {
		list[i].File = asWritten(m.cfg, list[i].File)
	}
	g.metrics.SetCertificates(list)
}

// asWritten returns the path of a file as the configuration most likely has it: relative
// to the configuration's directory for a file in or below that.
func asWritten(cfg *config.Config, path string) string {
	if short, err := filepath.Rel(filepath.Dir(cfg.Path), path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
