package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sizeUnit is a unit of sizes.
type sizeUnit struct {
	name  string
	bytes int64
}

// sizeUnits returns the units of sizes, the larger first among those of a kind.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
	}
}

// parseSize reads a number of bytes with a unit, such as "512MiB". Without a unit it is a
// mistake, as for a duration: whoever writes 512 may mean bytes or megabytes.
func parseSize(s string) (bytes int64, err error) {
	const expected = `expected a size such as "512MiB", "1GiB" or "100MB"`
	name := strings.TrimLeft(s, "0123456789")
	digits := s[:len(s)-len(name)]
	switch {
	case digits == "":
		return 0, fmt.Errorf("%s, got %q", expected, s)
	case name == "":
		return 0, fmt.Errorf("%s, got %q: add a unit, or remove the quotes for bytes", expected, s)
	}
	var names []string
	for _, unit := range sizeUnits() {
		if unit.name != name {
			names = append(names, unit.name)
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > math.MaxInt64/unit.bytes {
			return 0, fmt.Errorf("%s, got %q, which is more than any disk has", expected, s)
		}
		return n * unit.bytes, nil
	}
	return 0, fmt.Errorf("%s, which is digits and the unit %s, got %q%s", expected, oneOf(names), s, suggest(name, names))
}

// formatSize returns a number of bytes as parseSize reads it, with the largest binary unit
// that leaves no rest.
func formatSize(bytes int64) string {
	for _, u := range sizeUnits()[:4] {
		if bytes != 0 && bytes%u.bytes == 0 {
			return strconv.Quote(strconv.FormatInt(bytes/u.bytes, 10) + u.name)
		}
	}
	return strconv.FormatInt(bytes, 10)
}

// size reads a number of bytes of low..high: an integer, or a string with a unit.
func (t *table) size(key string, to *int64, low, high int64) bool {
	v, path, ok := t.value(key)
	if !ok {
		return false
	}
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case string:
		var err error
		if n, err = parseSize(v); err != nil {
			t.r.wrong(path, "%v", err)
			return false
		}
	default:
		t.r.wrong(path, `expected a size in quotes such as "512MiB", or an integer of bytes, got %s`, got(v))
		return false
	}
	if n < low || n > high {
		t.r.wrong(path, "expected a size from %s to %s, got %s", formatSize(low), formatSize(high), got(v))
		return false
	}
	*to = n
	return true
}
