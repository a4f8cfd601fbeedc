package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
)

// Plan is a configuration without mistakes, together with the contents of the files that
// it names. Each file is read once, so that what was checked is what is served. A Plan is
// immutable.
type Plan struct {
	Config *config.Config
	files  *material
	reader *files.Reader // reads the files, now and at a reload
	rules  programs      // the attribute rules, compiled
	readAt time.Time     // when the configuration was read
}

// BlockedError is returned by Load if a file could not be read in time. Trying again may
// help. It has all mistakes, as Load reports them.
type BlockedError struct{ config.Mistakes }

// Unwrap returns the mistakes, for errors.As.
func (e BlockedError) Unwrap() error { return e.Mistakes }

// Load reads a configuration file and the files that it names, and checks all of them. It
// stops waiting for a file after some seconds.
//
// The error is always config.Mistakes, or a BlockedError that wraps them. It lists the
// mistakes of the file, those inside the files that it names, and those of the routing
// table, sorted by line. A mistake that is the result of another is not reported.
func Load(ctx context.Context, path string) (*Plan, error) {
	reader := files.NewReader()
	return loadFrom(reader.Snapshot(ctx), path, reader)
}

// loadFrom is Load from a snapshot that reader has made.
func loadFrom(from *files.Snapshot, path string, reader *files.Reader) (*Plan, error) {
	p := &Plan{reader: reader, readAt: time.Now()}
	var mistakes config.Mistakes
	var err error
	p.Config, err = config.Load(path, from)
	errors.As(err, &mistakes)
	if p.Config != nil { // otherwise the file is not TOML, or cannot be read
		var more config.Mistakes
		p.files, more = loadMaterial(p.Config, from)
		more = append(more, clientMistakes(p.Config)...)
		var wrong config.Mistakes
		p.rules, wrong = compileRules(p.Config)
		more = append(more, wrong...)
		more = append(more, keyLogMistakes(p.Config, reader)...)
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

// withMaterial returns the plan with other material.
func (p *Plan) withMaterial(m *material) *Plan {
	return &Plan{Config: p.Config, files: m, reader: p.reader, rules: p.rules, readAt: p.readAt}
}

// FrontFiles is what the files of a front hold.
type FrontFiles struct {
	config.Front
	Certificates  []OwnCertificate    // that it presents, its own first
	ClientCAs     []*x509.Certificate // of clients; none if clients' certificates are not requested
	Intermediates []*x509.Certificate
}

// OwnCertificate is a certificate that the gateway presents.
type OwnCertificate struct {
	Leaf  *x509.Certificate
	Key   string   // of the configuration
	Names []string // that it is presented for instead of those in it
}

// Fronts returns [listen], then each [[listener]].
func (p *Plan) Fronts() (list []FrontFiles) {
	for _, f := range p.files.fronts {
		one := FrontFiles{Front: f.Front, ClientCAs: f.clientCAs, Intermediates: f.intermediates}
		for _, c := range f.certificates {
			one.Certificates = append(one.Certificates, OwnCertificate{c.pair.Leaf, c.key, c.names})
		}
		list = append(list, one)
	}
	return list
}

// Findings lists what clients may find wrong with the gateway's own certificates at a time.
func (p *Plan) Findings(now time.Time) []Finding { return p.files.findings(now) }

// Warnings lists what is suspicious at a time about the certificates and the revocation
// lists, each with its place in the configuration. The gateway serves in spite of them, and
// logs them when it starts or reloads.
func (p *Plan) Warnings(now time.Time) []string {
	return slices.Concat(p.files.certificateWarnings(p.Config, now), p.files.warnings(p.Config, now), p.rules.warnings(p.Config))
}
