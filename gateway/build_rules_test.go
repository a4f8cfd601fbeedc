package gateway

import (
	"testing"

	"radsec-gw/config"
	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
)

// Each value that such a key may have is translated to another: one that is forgotten
// would have the effect of the default, and no mistake would be reported.
func TestEachChoiceIsTranslated(t *testing.T) {
	for key, translated := range map[string]map[any][]string{
		"balance":        translations(config.Balances(), named(t, udpback.BalanceNamed)),
		"health":         translations(config.Healths(), named(t, health.CheckNamed)),
		"on_unreachable": translations(config.Answers(), unreachableOf),
		"reverse_path":   translations(config.ReversePaths(), reversePathOf),
		"realm_formats":  translations(config.RealmFormats(), formatOf),
		"client_auth":    translations(config.ClientAuths(), clientAuthOf),
		"user, station":  translations(config.Shows(), showOf),
	} {
		for to, from := range translated {
			if len(from) > 1 {
				t.Errorf("%s: expected %q to differ, got %v for all of them", key, from, to)
			}
		}
	}
}

// named returns what translates a choice without an error.
func named[T any](t *testing.T, translate func(string) (T, error)) func(string) T {
	return func(choice string) T {
		to, err := translate(choice)
		if err != nil {
			t.Error(err)
		}
		return to
	}
}

// translations returns which choices are translated to what.
func translations[T comparable](choices []string, translate func(string) T) map[any][]string {
	from := map[any][]string{}
	for _, choice := range choices {
		to := translate(choice)
		from[to] = append(from[to], choice)
	}
	return from
}
