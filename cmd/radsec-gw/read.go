package main

import (
	"errors"
	"fmt"

	"radsec-gw/config"
	"radsec-gw/routing"
)

// readConfig reads a configuration file and the files that it names, as check,
// serve and a reload do. The error is always config.Mistakes: those of the file,
// those inside the files that could be read, and those of the routing table,
// sorted. What is wrong already is not looked into.
func readConfig(path string) (*config.Config, *material, error) {
	cfg, err := config.Load(path)
	if cfg == nil {
		return nil, nil, err
	}
	var mistakes config.Mistakes
	errors.As(err, &mistakes)
	m, more := loadMaterial(cfg)
	_, err = buildTable(cfg)
	for _, one := range append(more, tableMistakes(cfg, err)...) {
		if !mistakes.Has(one.Key) {
			mistakes = append(mistakes, one)
		}
	}
	if len(mistakes) > 0 {
		mistakes.Sort()
		return nil, nil, mistakes
	}
	return cfg, m, nil
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
			key, text = fmt.Sprintf("route[%d].realms[%d]", at.Rule, at.Realm), at.Err.Error()
		}
		all = append(all, cfg.MistakeAt(key, text))
	}
	return all
}
