package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"radsec-gw/config/nearest"
)

// got describes a TOML value, for the end of a sentence.
func got(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case int64:
		return fmt.Sprintf("the integer %d", v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case bool:
		return strconv.FormatBool(v)
	}
	return kindOf(v)
}

// kindOf names the type of a TOML value without the value: for secrets.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date or time"
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "an array"
	}
	return fmt.Sprintf("a %T", v)
}

// oneOf returns `"a", "b" or "c"`.
func oneOf(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(n))
	}
	return b.String()
}

// suggest returns ` (did you mean "…"?)` when a name is within edit distance 2 of s,
// otherwise "".
func suggest(s string, names []string) string {
	best := nearest.Of(s, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
