package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"radsec-gw/files"
)

// Bounds of include. All files together have at most MaxConfiguration bytes.
const (
	maxFiles     = 1000
	maxDepth     = 8      // of a file that a file includes that a file includes
	maxPatterns  = 1000   // of one file
	maxDirectory = 10_000 // names in a directory that a pattern is compared with
)

// sources are the files of a configuration as they are put together.
type sources struct {
	from *files.Snapshot

	values   map[string]any // of all files
	patterns []string       // of the first file's include
	places   places
	mistakes Mistakes
	broken   bool // a file is missing from values

	paths  map[string]bool // absolute: the files read so far
	size   int64           // of their contents in bytes
	bounds bounds
}

// gather reads the file at path, with its text, and all files that it includes. Tables of
// an array follow each other in the order of the files; the keys of a single table may be
// in several files, each key in one.
func gather(path, text string, from *files.Snapshot) *sources {
	s := &sources{from: from, values: map[string]any{}, paths: map[string]bool{}}
	s.places.of = map[string]place{}
	s.add(path, text, nil)
	return s
}

// add adds a file, and then those that it includes. within are the files that include it.
func (s *sources) add(path, text string, within []string) {
	index := len(s.places.files)
	s.places.files = append(s.places.files, path)
	s.places.first = append(s.places.first, nil)
	s.paths[absolute(path)] = true
	s.size += int64(len(text))
	if line, text := s.bounds.check(text); line > 0 {
		s.broken = true
		s.wrong(index, Mistake{File: path, Line: line, Text: "not TOML: " + text})
		return
	}
	values := map[string]any{}
	var found lines
	err := s.from.Parse(path, func() error {
		_, err := toml.Decode(text, &values)
		if err == nil {
			found = locate(text)
		}
		return err
	})
	if err != nil {
		s.broken = true
		s.wrong(index, syntaxMistake(path, err))
		return
	}
	patterns := s.readInclude(index, found, values)
	if index == 0 {
		s.patterns = patterns
	}
	delete(values, "include")
	first := map[string]int{}
	s.merge(s.values, values, merging{index: index, found: found, first: first})
	s.places.first[index] = first
	for key, line := range found {
		key = shiftIndex(key, first, +1)
		if _, earlier := s.places.of[key]; !earlier {
			s.places.of[key] = place{file: int32(index), line: int32(line)}
		}
	}
	for i, pattern := range patterns {
		at := Mistake{File: path, Line: found.line(joinIndex("include", i)), Key: joinIndex("include", i)}
		if pattern == "" {
			continue
		}
		s.include(index, at, pattern, append(slices.Clip(within), absolute(path)))
	}
}

// wrong notes a mistake in a file.
func (s *sources) wrong(index int, m Mistake) {
	m.order = index
	s.mistakes = append(s.mistakes, m)
}

// syntaxMistake returns the mistake that a file is not TOML.
func syntaxMistake(path string, err error) Mistake {
	m := Mistake{File: path, Text: "not TOML: " + withoutValues(err.Error())}
	var at toml.ParseError
	if errors.As(err, &at) {
		m.Line, m.Text = at.Position.Line, "not TOML: "+withoutValues(at.Message)
		if isSecretKey(at.LastKey) {
			m.Text = "not TOML: expected a secret in quotes on a line of its own, or the end of one"
		}
	}
	return m
}

// readInclude returns the elements of a file's include; "" for one that has a mistake.
func (s *sources) readInclude(index int, found lines, values map[string]any) (list []string) {
	path := s.places.files[index]
	one := places{files: []string{path}, of: map[string]place{}}
	for key, line := range found {
		if strings.HasPrefix(key, "include") {
			one.of[key] = place{line: int32(line)}
		}
	}
	t := &table{r: &reader{places: one}, values: values}
	elements, _ := values["include"].([]any)
	list = make([]string, len(elements))
	t.textsByIndex("include", func(i int, at, pattern string) {
		dir, name := filepath.Split(pattern)
		_, err := filepath.Match(name, "")
		switch {
		case i >= maxPatterns:
			if i == maxPatterns {
				t.r.wrong(at, "expected at most %d elements", maxPatterns)
			}
		case name == "" || err != nil:
			t.r.wrong(at, `expected the name of a file, or a pattern such as "conf.d/*.toml", got %q`, pattern)
		case isPattern(dir):
			t.r.wrong(at, "expected *, ? and [ only in the name of the file, not in its directory, got %q", pattern)
		default:
			list[i] = pattern
		}
	})
	for _, m := range t.r.mistakes {
		s.broken = true // files are missing, and what follows from that would mislead
		s.wrong(index, m)
	}
	return list
}

// isPattern reports whether a name stands for the names that match it.
func isPattern(name string) bool { return strings.ContainsAny(name, "*?[") }

// include adds the files that match a pattern, sorted by name. at is its place.
func (s *sources) include(index int, at Mistake, pattern string, within []string) {
	refuse := func(format string, args ...any) {
		s.broken = true
		at.Text = fmt.Sprintf(format, args...)
		s.wrong(index, at)
	}
	path := resolveIn(filepath.Dir(at.File), pattern)
	paths := []string{path}
	if dir, name := filepath.Split(path); isPattern(name) {
		names, err := s.matches(dir, name)
		if err != nil {
			refuse("expected a directory that can be read, got %q: %s", dir, reason(dir, err))
			return
		}
		paths = paths[:0]
		for _, n := range names {
			if path := filepath.Join(dir, n); absolute(path) != within[len(within)-1] { // a pattern may match its own file
				paths = append(paths, path)
			}
		}
	}
	for _, path := range paths {
		switch {
		case slices.Contains(within, absolute(path)):
			refuse("expected another file, got %s, which includes this one", path)
		case s.paths[absolute(path)]: // another pattern matched it, too
		case len(within) > maxDepth:
			refuse("expected at most %d files that include one another, %s is one more", maxDepth, path)
			return
		case len(s.places.files) >= maxFiles:
			refuse("expected at most %d files, %s is one more", maxFiles, path)
			return
		default:
			text, err := s.from.ReadPart(path, MaxConfiguration-s.size)
			if err != nil {
				refuse("expected a readable file, got %q: %s", path, reason(path, err))
				continue
			}
			s.add(path, string(text), within)
		}
	}
}

// matches returns the names in a directory that match a pattern, sorted, without what
// editors and package managers leave behind. A directory that does not exist has none.
func (s *sources) matches(dir, pattern string) (list []string, err error) {
	names, err := s.from.List(filepath.Clean(dir), maxDirectory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, name := range names {
		if ok, _ := filepath.Match(pattern, name); ok && !isLeftover(name) {
			list = append(list, name)
		}
	}
	return list, err
}

// isLeftover reports whether a file was left behind by an editor or a package manager, or is
// hidden.
func isLeftover(name string) bool {
	for _, suffix := range []string{"~", "#", ".bak", ".old", ".orig", ".rej", ".save", ".swp", ".swo", ".swx", ".tmp",
		".rpmsave", ".rpmnew", ".rpmorig", ".pacnew", ".pacsave"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.Contains(name, ".dpkg-") || strings.Contains(name, ".ucf-")
}

// absolute returns a path by which a file is known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// merging is the file whose values are added to those of others.
type merging struct {
	index int
	found lines
	first map[string]int // filled with the index that the first table of each array gets
	at    string         // the path of the table
}

// merge adds the values of a table of one file to those of the files before it.
func (s *sources) merge(into, values map[string]any, m merging) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		path := joinKey(m.at, key)
		earlier, twice := into[key]
		if !twice {
			into[key] = values[key]
			continue
		}
		tables, more := tablesOf(earlier), tablesOf(values[key])
		inner, innerMore := mapOf(earlier), mapOf(values[key])
		switch {
		case tables != nil && more != nil:
			m.first[path] = len(tables)
			into[key] = append(tables, more...)
		case inner != nil && innerMore != nil:
			within := m
			within.at = path
			s.merge(inner, innerMore, within)
		default:
			at := s.places.at(path)
			s.wrong(m.index, Mistake{File: s.places.files[m.index], Line: m.found.line(path), Key: path,
				Text: fmt.Sprintf("is already on line %d of %s: expected each key in one file only", at.line, s.places.name(at))})
		}
	}
}

// tablesOf returns the elements of an array of tables, nil for anything else.
func tablesOf(v any) (list []any) {
	switch v := v.(type) {
	case []map[string]any:
		for _, m := range v {
			list = append(list, m)
		}
	case []any: // an empty one may be of anything
		if len(v) > 0 && !slices.ContainsFunc(v, func(e any) bool { return mapOf(e) == nil }) {
			list = v
		}
	}
	return list
}

// mapOf returns a table, nil for anything else.
func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
