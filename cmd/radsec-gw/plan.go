package main

import (
	"context"
	"errors"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/routing"
)

// plan is a configuration without mistakes and what its files held. Each file
// was read once: what was checked is what is served. It is immutable.
type plan struct {
	cfg    *config.Config
	files  *material
	reader *files.Reader // that the files were read by, and are read again by
}

// blockedError is Mistakes some of which are none of the configuration: a file
// could not be read in time, which may pass.
type blockedError struct{ config.Mistakes }

// Unwrap gives errors.As the Mistakes.
func (e blockedError) Unwrap() error { return e.Mistakes }

// loadPlan reads a configuration file and the files that it names, as check,
// serve and a reload do. The error is always config.Mistakes, or a blockedError
// of them: those of the file, those inside the files that could be read, and those
// of the routing table, sorted. A key that has a mistake is not looked into any
// further.
func loadPlan(ctx context.Context, path string, reader *files.Reader) (*plan, error) {
	return loadPlanFrom(reader.Snapshot(ctx), path, reader)
}

// loadPlanFrom is loadPlan through from, which reader has made.
func loadPlanFrom(from *files.Snapshot, path string, reader *files.Reader) (*plan, error) {
	p := &plan{reader: reader}
	var mistakes config.Mistakes
	var err error
	p.cfg, err = config.LoadFrom(path, from)
	errors.As(err, &mistakes)
	if p.cfg != nil { // else the file is not TOML, or cannot be read
		var more config.Mistakes
		p.files, more = loadMaterial(p.cfg, from)
		_, err := buildTable(p.cfg)
		for _, one := range append(more, tableMistakes(p.cfg, err)...) {
			if !mistakes.Has(one.Key) {
				mistakes = append(mistakes, one)
			}
		}
	}
	mistakes.Sort()
	switch {
	case from.Stuck():
		return nil, blockedError{mistakes}
	case len(mistakes) > 0:
		return nil, mistakes
	}
	return p, nil
}

// with returns the plan with other material.
func (p *plan) with(m *material) *plan {
	return &plan{cfg: p.cfg, files: m, reader: p.reader}
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
