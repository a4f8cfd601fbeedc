package config

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"radsec-gw/files"
)

// reader reads a configuration. It collects all mistakes.
type reader struct {
	from     *files.Snapshot
	places   places
	include  []string
	mistakes Mistakes

	warnings    Mistakes // of what is allowed but likely a mistake
	secretFiles []SecretFile
}

// maxMistakes bounds the mistakes that are noted: nobody reads more.
const maxMistakes = 1000

// wrong notes a mistake at the key path.
func (r *reader) wrong(path, format string, args ...any) {
	if len(r.mistakes) >= maxMistakes {
		return
	}
	r.mistakes = append(r.mistakes, r.places.mistake(path, fmt.Sprintf(format, args...)))
}

// table is one TOML table being read. Each method reads one key: it leaves the target
// unchanged when the key is missing, notes a mistake when the value is invalid, and reports
// whether the target was set.
type table struct {
	r      *reader
	path   string // "client[1]"; "" is the file itself
	values map[string]any
	known  []string // the keys read so far
}

// value returns the value of a key, and marks the key as known.
func (t *table) value(key string) (value any, path string, ok bool) {
	t.known = append(t.known, key)
	value, ok = t.values[key]
	return value, joinKey(t.path, key), ok
}

// has reports whether the file gives the key.
func (t *table) has(key string) bool { _, ok := t.values[key]; return ok }

// require notes a mistake when the key is missing.
func (t *table) require(key, expected string) {
	if !t.has(key) {
		t.r.wrong(joinKey(t.path, key), "missing: expected %s", expected)
	}
}

// text reads a string.
func (t *table) text(key string, to *string) bool {
	v, path, ok := t.value(key)
	if !ok {
		return false
	}
	s, ok := v.(string)
	if !ok {
		t.r.wrong(path, "expected a string in quotes, got %s", got(v))
		return false
	}
	*to = s
	return true
}

// choice reads a string that must be one of names.
func (t *table) choice(key string, to *string, names ...string) bool {
	var s string
	if !t.text(key, &s) {
		return false
	}
	if !slices.Contains(names, s) {
		t.r.wrong(joinKey(t.path, key), "expected %s, got %q%s", oneOf(names), s, suggest(s, names))
		return false
	}
	*to = s
	return true
}

// flag reads true or false.
func (t *table) flag(key string, to *bool) bool {
	v, path, ok := t.value(key)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		t.r.wrong(path, "expected true or false, got %s", got(v))
		return false
	}
	*to = b
	return true
}

// number reads an integer of low..high.
func (t *table) number(key string, to *int, low, high int) bool {
	v, path, ok := t.value(key)
	if !ok {
		return false
	}
	n, ok := v.(int64)
	if !ok || n < int64(low) || n > int64(high) {
		span := fmt.Sprintf("from %d to %d", low, high)
		if high == math.MaxInt32 {
			span = fmt.Sprintf("of %d or more", low)
		}
		t.r.wrong(path, "expected an integer %s, got %s", span, got(v))
		return false
	}
	*to = int(n)
	return true
}

// duration reads a string such as "10s". Zero is a mistake unless zeroMeans, which is only
// for readers of the code, says what it means.
func (t *table) duration(key string, to *time.Duration, zeroMeans string) bool {
	v, path, ok := t.value(key)
	if !ok {
		return false
	}
	s, ok := v.(string)
	if !ok {
		t.r.wrong(path, `expected a duration in quotes such as "10s" or "5m", got %s`, got(v))
		return false
	}
	d, err := parseDuration(s)
	switch {
	case err != nil:
		t.r.wrong(path, `expected a duration such as "500ms", "10s", "5m" or "7d", got %q`, s)
	case d < 0:
		t.r.wrong(path, "expected a duration that is not negative, got %q", s)
	case d == 0 && zeroMeans == "":
		t.r.wrong(path, `expected a duration above zero, got %q: this one cannot be switched off`, s)
	default:
		*to = d
		return true
	}
	return false
}

// texts reads an array of strings and calls read for each, with its path, in order; read
// notes mistakes.
func (t *table) texts(key string, read func(path, s string)) bool {
	return t.textsByIndex(key, func(_ int, path, s string) { read(path, s) })
}

// textsByIndex is texts for a read that needs the index of the element.
func (t *table) textsByIndex(key string, read func(i int, path, s string)) bool {
	v, path, ok := t.value(key)
	if !ok {
		return false
	}
	list, ok := v.([]any)
	if !ok {
		hint := ""
		if s, isText := v.(string); isText {
			hint = fmt.Sprintf(": write [%q]", s)
		}
		t.r.wrong(path, "expected an array of strings, got %s%s", got(v), hint)
		return false
	}
	for i, v := range list {
		at := joinIndex(path, i)
		if s, ok := v.(string); ok {
			read(i, at, s)
		} else {
			t.r.wrong(at, "expected a string in quotes, got %s", got(v))
		}
	}
	return true
}

// choices reads an array of at least one of names, each at most once.
func (t *table) choices(key string, to *[]string, names ...string) bool {
	var list []string
	refused := false
	read := t.texts(key, func(path, s string) {
		switch {
		case !slices.Contains(names, s):
			t.r.wrong(path, "expected %s, got %q%s", oneOf(names), s, suggest(s, names))
			refused = true
		case slices.Contains(list, s):
			t.r.wrong(path, "%q is listed twice: remove one", s)
			refused = true
		default:
			list = append(list, s)
		}
	})
	if !read || refused {
		return false
	}
	if len(list) == 0 {
		t.r.wrong(joinKey(t.path, key), "expected at least one of %s, got an empty array", oneOf(names))
		return false
	}
	*to = list
	return true
}

// table reads a table inside this one, empty when it is missing.
func (t *table) table(key string) *table {
	v, path, ok := t.value(key)
	inner := &table{r: t.r, path: path}
	if !ok {
		return inner
	}
	if inner.values, ok = v.(map[string]any); !ok {
		t.r.wrong(path, "expected one table [%s], got %s", key, got(v))
	}
	return inner
}

// tables reads an array of tables.
func (t *table) tables(key string) []*table {
	v, path, ok := t.value(key)
	if !ok {
		return nil
	}
	var elements []any
	switch v := v.(type) {
	case []map[string]any:
		for _, m := range v {
			elements = append(elements, m)
		}
	case []any:
		elements = v
	default:
		t.r.wrong(path, "expected tables [[%s]] with doubled brackets, got %s", header(path), got(v))
	}
	var list []*table
	for i, v := range elements {
		at := joinIndex(path, i)
		m, ok := v.(map[string]any)
		if !ok {
			t.r.wrong(at, "expected a table [[%s]], got %s", header(path), got(v))
			continue
		}
		list = append(list, &table{r: t.r, path: at, values: m})
	}
	return list
}

// indexForm is an index in a path.
var indexForm = regexp.MustCompile(`\[[0-9]+\]`)

// header returns what is inside the brackets above a table of a path.
func header(path string) string { return indexForm.ReplaceAllString(path, "") }

// done notes every unknown key.
func (t *table) done() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if slices.Contains(t.known, key) {
			continue
		}
		if len(t.r.mistakes) >= maxMistakes {
			return
		}
		where := "the file"
		if t.path != "" {
			where = "[" + header(t.path) + "]"
		}
		hint := suggest(key, t.known)
		if key == "include" {
			hint = "; include belongs above the first table"
		}
		t.r.wrong(joinKey(t.path, key), "unknown key; expected in %s: %s%s", where, strings.Join(t.known, ", "), hint)
	}
}
