package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
	"radsec-gw/routing"
)

// plan is a configuration without mistakes and what its files held. Each file
// was read once: what was checked is what is served. It is immutable.
type Plan struct {
	Config *config.Config
	files  *material
	reader *files.Reader // that the files were read by, and are read again by
}

// BlockedError is Mistakes some of which are none of the configuration: a file
// could not be read in time, which may pass.
type BlockedError struct{ config.Mistakes }

// Unwrap gives errors.As the Mistakes.
func (e BlockedError) Unwrap() error { return e.Mistakes }

// Load reads a configuration file and the files that it names, as check,
// serve and a reload do. The error is always config.Mistakes, or a BlockedError
// of them: those of the file, those inside the files that could be read, and those
// of the routing table, sorted. A key that has a mistake is not looked into any
// further.
func Load(ctx context.Context, path string) (*Plan, error) {
	reader := files.NewReader()
	return loadFrom(reader.Snapshot(ctx), path, reader)
}

// loadFrom is Load through from, which reader has made.
func loadFrom(from *files.Snapshot, path string, reader *files.Reader) (*Plan, error) {
	p := &Plan{reader: reader}
	var mistakes config.Mistakes
	var err error
	p.Config, err = config.LoadFrom(path, from)
	errors.As(err, &mistakes)
	if p.Config != nil { // else the file is not TOML, or cannot be read
		var more config.Mistakes
		p.files, more = loadMaterial(p.Config, from)
		_, err := buildTable(p.Config)
		for _, one := range append(more, tableMistakes(p.Config, err)...) {
			if !mistakes.Has(one.Key) {
				mistakes = append(mistakes, one)
			}
		}
	}
	mistakes.Sort()
	switch {
	case from.Stuck():
		return nil, BlockedError{mistakes}
	case len(mistakes) > 0:
		return nil, mistakes
	}
	return p, nil
}

// Certificate is the gateway's own certificate, the leaf of its chain.
func (p *Plan) Certificate() *x509.Certificate { return p.files.pair.Leaf }

// ClientCAs are the CAs of clients, none when clients are asked for no certificate.
func (p *Plan) ClientCAs() []*x509.Certificate { return p.files.cas }

// Intermediates are the certificates of [listen].intermediates.
func (p *Plan) Intermediates() []*x509.Certificate { return p.files.between }

// Findings lists what clients may think of the gateway's own certificates at a time.
func (p *Plan) Findings(now time.Time) []identity.Finding { return p.files.own(now) }

// Warnings lists what deserves a second look in the certificates and revocation lists
// at a time, each with its place in the file. The gateway serves with them all the same.
func (p *Plan) Warnings(now time.Time) []string {
	return append(p.files.ownWarnings(p.Config, now), p.files.warnings(p.Config, now)...)
}

// with returns the plan with other material.
func (p *Plan) with(m *material) *Plan {
	return &Plan{Config: p.Config, files: m, reader: p.reader}
}

// tableMistakes gives what routing refused its place in the file.
func tableMistakes(cfg *config.Config, err error) (all config.Mistakes) {
	if err == nil {
		return nil
	}
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, err := range list {
		key, text := "route", err.Error()
		var at *routing.RuleError
		if errors.As(err, &at) {
			key, text = at.Key(), at.Err.Error()
		}
		all = append(all, cfg.MistakeAt(key, text))
	}
	return all
}
