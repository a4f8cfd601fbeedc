package gateway

import (
	"errors"
	"fmt"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/routing"
)

// clientMistakes lists the mistakes about clients that package config cannot find: in
// relative distinguished names, which identity parses, and in the realms and operators that
// a client may send, which routing parses.
func clientMistakes(cfg *config.Config) (mistakes config.Mistakes) {
	for i := range cfg.Clients {
		c := &cfg.Clients[i]
		for k, text := range c.SubjectRDN {
			if _, err := identity.ParseRDN(text); err != nil {
				mistakes = append(mistakes, cfg.MistakeAt(fmt.Sprintf("client[%d].subject_rdn[%d]", i, k), err.Error()))
			}
		}
		if len(c.Realms) == 0 {
			continue
		}
		_, err := routing.NewFilter(c.Realms, c.Operators, routingOptions(cfg))
		for _, err := range joined(err) {
			key, text := fmt.Sprintf("client[%d]", i), err.Error()
			var entry *routing.RuleError
			if errors.As(err, &entry) {
				key, text = fmt.Sprintf("%s.%s[%d]", key, entry.List, entry.Entry), entry.Err.Error()
			}
			mistakes = append(mistakes, cfg.MistakeAt(key, text))
		}
	}
	return mistakes
}

// tableMistakes returns the errors of routing.New as mistakes, each with its place in the
// file.
func tableMistakes(cfg *config.Config, err error) (all config.Mistakes) {
	for _, err := range joined(err) {
		key, text := "route", err.Error()
		var rule *routing.RuleError
		if errors.As(err, &rule) {
			key, text = rule.Key(), rule.Err.Error()
		}
		all = append(all, cfg.MistakeAt(key, text))
	}
	return all
}

// joined returns the errors that err joins, or err alone; none if err is nil.
func joined(err error) []error {
	if err == nil {
		return nil
	}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}
