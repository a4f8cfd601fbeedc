package config

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// The default in the comment of a field is the one that is used.
func TestDefaultsAreThoseOfTheComments(t *testing.T) {
	for _, x := range exampleTables {
		values := reflect.ValueOf(x.defaults)
		for _, key := range keysOf(t, x.name, x.header) {
			name := fieldOf(values.Type(), key)
			if name == "" {
				continue
			}
			doc := docOf(t, values.Type().Name(), name)
			said, isDefault := strings.CutPrefix(doc[len(doc)-1], "# Default: ")
			value := values.FieldByName(name)
			got, want := plain(value.Interface()), ""
			if isDefault {
				want = leadingTOML(said)
			}
			if got != want && !(want == "" && value.IsZero()) {
				t.Errorf("%s.%s: the comment says %q, the default is %s", x.name, key, doc[len(doc)-1], got)
			}
		}
	}
}

// leadingTOML returns the value that a sentence begins with, as plain text, "" for none:
// then the key is omitted.
func leadingTOML(said string) string {
	var table map[string]any
	toml.Decode("v = "+leadingText(said), &table)
	if v, ok := table["v"]; ok {
		return plain(v)
	}
	return ""
}

// leadingText returns the value that a sentence begins with, as it is written.
func leadingText(said string) string {
	for end := len(said); end > 0; end-- {
		var table map[string]any
		if _, err := toml.Decode("v = "+said[:end], &table); err == nil {
			return said[:end]
		}
	}
	return ""
}

// plain formats a value of TOML and the same value of a field alike.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		if d, err := parseDuration(v); err == nil && d != 0 {
			return d.String()
		}
		if n, err := parseSize(v); err == nil {
			return fmt.Sprint(n)
		}
	case slog.Level:
		return strings.ToLower(v.String())
	case Secret:
		return string(v.Bytes())
	case []RuleValue:
		if len(v) == 0 {
			return "map[]" // as the table that they are read from
		}
	case SANIP:
		return fmt.Sprint(v.Addresses)
	case uint16:
		if v == tls.VersionTLS12 {
			return "1.2"
		}
	}
	return fmt.Sprint(v)
}
