package freeradius

import (
	"slices"
	"strings"

	"radsec-gw/importer"
)

// section is NAME1 [NAME2] { … }. The outermost one, of the files themselves, has no name.
type section struct {
	importer.Place
	name, second string
	parent       *section
	depth        int // 0: the outermost one

	pairs    []pair
	sections []*section
	// What pairs and sections have, by name: a search for each of the references in a file
	// would be quadratic.
	pairsNamed    map[string][]pair
	sectionsNamed map[string][]*section

	used map[string]bool // pairs and sections that were asked for
}

// add adds a pair.
func (s *section) add(p pair) {
	if s.pairsNamed == nil {
		s.pairsNamed = map[string][]pair{}
	}
	s.pairs = append(s.pairs, p)
	s.pairsNamed[p.name] = append(s.pairsNamed[p.name], p)
}

// addSection adds a section.
func (s *section) addSection(sub *section) {
	if s.sectionsNamed == nil {
		s.sectionsNamed = map[string][]*section{}
	}
	s.sections = append(s.sections, sub)
	s.sectionsNamed[sub.name] = append(s.sectionsNamed[sub.name], sub)
}

// pair is NAME = VALUE, or NAME alone.
type pair struct {
	importer.Place
	name, value string
}

// all returns the sections within s that have a name.
func (s *section) all(name string) []*section {
	s.use(name)
	return slices.Clip(s.sectionsNamed[name]) // appending to it changes nothing here
}

// one returns the first section within s of that name, an empty one if there is none.
func (s *section) one(name string) *section {
	if found := s.all(name); len(found) > 0 {
		return found[0]
	}
	return &section{Place: s.Place, name: name, parent: s}
}

// values returns the pairs of a name.
func (s *section) values(name string) []pair {
	s.use(name)
	return slices.Clip(s.pairsNamed[name])
}

// value returns the first pair that has one of the names.
func (s *section) value(names ...string) (p pair, ok bool) {
	for _, name := range names {
		if found := s.values(name); len(found) > 0 && !ok {
			p, ok = found[0], true
		}
	}
	return p, ok
}

// text returns the value of a name, or otherwise.
func (s *section) text(name, otherwise string) string {
	if p, ok := s.value(name); ok {
		return p.value
	}
	return otherwise
}

// yes returns the value of a flag.
func (s *section) yes(name string, otherwise bool) bool {
	switch strings.ToLower(s.text(name, "")) {
	case "yes", "true", "on", "1":
		return true
	case "no", "false", "off", "0":
		return false
	}
	return otherwise
}

func (s *section) use(name string) {
	if s.used == nil {
		s.used = map[string]bool{}
	}
	s.used[name] = true
}

// noteRest notes what nothing has asked for. why has a text for some names; an empty one
// means that nothing is lost.
func (s *section) noteRest(t *importer.Table, why map[string]string) {
	note := func(at importer.Place, name, shown string) {
		text, known := why[name]
		switch {
		case s.used[name] || known && text == "":
		case known:
			t.Note(at, "%s: %s", shown, text)
		default:
			t.Note(at, "%s: there is no counterpart", shown)
		}
	}
	for _, p := range s.pairs {
		shown := p.name
		if p.value != "" && !isSecret(p.name) {
			shown += " = " + p.value
		}
		note(p.Place, p.name, shown)
	}
	for _, sub := range s.sections {
		note(sub.Place, sub.name, sub.name+" { … }")
	}
}

// names returns the names of what is in a section, each once.
func (s *section) names() (names []string) {
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	for _, p := range s.pairs {
		add(p.name)
	}
	for _, sub := range s.sections {
		add(sub.name)
	}
	return names
}

// has reports whether there is a pair or a section of a name.
func (s *section) has(name string) bool { return len(s.values(name))+len(s.all(name)) > 0 }

// same reports whether two sections have the same of a name.
func (s *section) same(other *section, name string) bool {
	equal := func(a, b pair) bool { return a.value == b.value }
	return slices.EqualFunc(s.values(name), other.values(name), equal) &&
		slices.EqualFunc(s.all(name), other.all(name), func(a, b *section) bool {
			names := a.names()
			return len(names) == len(b.names()) && !slices.ContainsFunc(names, func(name string) bool { return !a.same(b, name) })
		})
}

// isSecret reports whether the value of a pair must not be in a comment.
func isSecret(name string) bool {
	return strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "psk")
}
