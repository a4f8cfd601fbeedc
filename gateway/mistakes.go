package gateway

import (
	"errors"
	"fmt"
	"strings"

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
		for _, m := range tableMistakes(cfg, err) {
			key := strings.Replace(m.Key, "route[0]", fmt.Sprintf("client[%d]", i), 1)
			mistakes = append(mistakes, cfg.MistakeAt(key, strings.ReplaceAll(m.Text, "route[0] matches", "the client may send")))
		}
	}
	return mistakes
}

// tableMistakes returns the errors of package routing as mistakes, each with its place in
// the file.
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
		var rule *routing.RuleError
		if errors.As(err, &rule) {
			key, text = rule.Key(), rule.Err.Error()
		}
		all = append(all, cfg.MistakeAt(key, text))
	}
	return all
}
