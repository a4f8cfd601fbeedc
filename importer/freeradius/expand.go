package freeradius

import (
	"path"
	"strings"

	"radsec-gw/importer"
)

// expand replaces each ${name} by the value of that pair. One that is not found is kept,
// and noted; in a secret, what looks like its name may be a part of the secret.
func (p *parser) expand(in *section, at importer.Place, text string, secret bool) string {
	return p.replace(at, text, "${", func(name string) (string, string) {
		value, known := p.lookup(in, name)
		switch {
		case known:
			return value, ""
		case secret:
			name = "…"
		}
		return "", "${" + name + "}: expected the name of a value that precedes it in the configuration"
	})
}

// expandEnv replaces each $ENV{NAME} by the environment variable. One that is not set is
// kept, and noted.
func (p *parser) expandEnv(at importer.Place, text string) string {
	return p.replace(at, text, "$ENV{", func(name string) (string, string) {
		value, known := p.env(name)
		if !known {
			return "", "$ENV{" + name + "}: the environment variable is not set here; import with the environment of FreeRADIUS"
		}
		return value, ""
	})
}

// replace replaces each name between start and "}" by its value. Where there is a note
// instead, or no "}", the text is kept as it is, and that is noted.
func (p *parser) replace(at importer.Place, text, start string, valueOf func(name string) (value, note string)) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, start)
		b.WriteString(before)
		if !found || b.Len() > maxValue {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed { // the rest is not quoted: it may be that of a secret
			p.notes = append(p.notes, importer.Note{Place: at, Text: "expected } after " + start + ", got the end of the value, which is kept as it is"})
			b.WriteString(start + rest)
			return b.String()
		}
		value, note := valueOf(name)
		if note != "" {
			p.notes = append(p.notes, importer.Note{Place: at, Text: note})
			value = start + name + "}"
		}
		b.WriteString(value)
		text = after
	}
}

// lookup finds the value of a reference: NAME in this section or one around it, or
// SECTION.NAME from the outermost one, or .NAME from this one, ..NAME from the one around
// it and so on.
func (p *parser) lookup(in *section, name string) (string, bool) {
	if relative := strings.TrimLeft(name, "."); relative != name {
		for range len(name) - len(relative) - 1 {
			if in = in.parent; in == nil {
				return "", false
			}
		}
		return find(in, strings.Split(relative, "."))
	}
	names := strings.Split(name, ".")
	if len(names) > 1 {
		return find(p.root, names)
	}
	for s := in; s != nil; s = s.parent {
		if value, ok := find(s, names); ok {
			return value, true
		}
	}
	return "", false
}

// find follows the names of sections to a pair.
func find(s *section, names []string) (string, bool) {
	for _, name := range names[:len(names)-1] {
		found := s.all(name)
		if len(found) == 0 {
			return "", false
		}
		s = found[0]
	}
	p, ok := s.value(names[len(names)-1])
	return p.value, ok
}

// relocate returns where a file of the configuration is now: a copy of /etc/raddb still
// names /etc/raddb.
func (p *parser) relocate(file string) string {
	for _, name := range []string{"raddbdir", "confdir"} {
		was := path.Clean(p.root.text(name, p.dir))
		if rest, ok := strings.CutPrefix(file, was+"/"); ok && was != p.dir && was != "/" {
			return path.Join(p.dir, rest)
		}
	}
	return file
}
