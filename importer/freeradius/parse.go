package freeradius

import (
	"path"
	"strings"

	"radsec-gw/importer"
)

// Bounds of what is read.
const (
	maxItems  = 500_000 // pairs and sections
	maxValue  = 64 << 10
	maxValues = importer.MaxTotal // bytes of all values, with what references stand for
	maxNested = 100               // sections in each other; FreeRADIUS has five or so
)

// parser reads files into a tree of sections.
type parser struct {
	source *importer.Source
	dir    string // that is imported, absolute
	env    func(name string) (value string, ok bool)
	root   *section
	open   []string // files that include each other, the innermost last
	items  int
	bytes  int // of values
	notes  []importer.Note
}

// parse reads dir/radiusd.conf and what it includes.
func parse(source *importer.Source, dir string, env func(string) (string, bool)) (*parser, error) {
	p := &parser{source: source, dir: dir, env: env, root: &section{Place: importer.Place{File: source.Shown(path.Join(dir, "radiusd.conf"))}}}
	main := path.Join(dir, "radiusd.conf")
	text, err := source.Read(main)
	if err != nil {
		return nil, wrong(importer.Place{File: main}, "expected the main file of a FreeRADIUS configuration: %v", err)
	}
	return p, p.file(main, text, p.root)
}

// reader is where a file is read.
type reader struct {
	importer.Place // of the line that was read last
	rest           string
	this           *section
}

// line returns the next line with those that continue it, and false at the end of the file.
func (r *reader) line() (text string, ok bool) {
	var b strings.Builder
	blank := true // so far
	for r.rest != "" {
		var one string
		one, r.rest, _ = strings.Cut(r.rest, "\n")
		r.Line++
		one = strings.TrimRight(one, "\r")
		comment := blank && strings.HasPrefix(strings.TrimLeft(one, " \t"), "#")
		continued, ok := strings.CutSuffix(one, `\`)
		if !ok || comment {
			b.WriteString(one)
			return b.String(), true
		}
		b.WriteString(continued)
		blank = blank && strings.TrimSpace(continued) == ""
	}
	return b.String(), b.Len() > 0
}

// file reads the content of a file into a section.
func (p *parser) file(name, text string, into *section) error {
	if len(p.open) >= importer.MaxDepth {
		return wrong(importer.Place{File: name}, "expected at most %d files that include each other", importer.MaxDepth)
	}
	p.open = append(p.open, name)
	defer func() { p.open = p.open[:len(p.open)-1] }()
	r := &reader{Place: importer.Place{File: p.source.Shown(name)}, rest: text, this: into}
	for {
		text, ok := r.line()
		if !ok {
			break
		}
		l := &line{Place: r.Place, rest: text, escapes: p.root.yes("correct_escapes", false)}
		for more := true; more; {
			var err error
			if more, err = p.statement(r, l, into); err != nil {
				return err
			}
		}
	}
	if r.this != into {
		return wrong(r.this.Place, "expected } for %s, got the end of %s", r.this.title(), r.File)
	}
	return nil
}

// title is how a section begins. A pair with a brace after it is taken for one, and may
// have a secret, which is omitted.
func (s *section) title() string {
	if isSecret(s.name) {
		return s.name
	}
	return strings.TrimSpace(s.name + " " + s.second)
}

// statement reads a pair, the beginning or the end of a section, or an inclusion. more is
// false at the end of the line.
func (p *parser) statement(r *reader, l *line, into *section) (more bool, err error) {
	first, err := l.next()
	if err != nil {
		return false, err
	}
	switch first.kind {
	case 0:
		return false, nil
	case ',':
		return true, nil
	case '}':
		if r.this == into {
			return false, wrong(l.Place, "expected a name, got }: there is no { before it in this file")
		}
		r.this = r.this.parent
		return true, nil
	case '{', 'o':
		return false, wrong(l.Place, "expected a name, got %s", first.text)
	}
	if p.items++; p.items > maxItems {
		return false, wrong(l.Place, "expected at most %d values and sections", maxItems)
	}
	if strings.HasPrefix(first.text, "$") && first.quote == 0 {
		return false, p.directive(r, l, first.text)
	}
	before := l.rest
	second, err := l.next()
	switch {
	case err != nil:
		return false, err
	case second.kind == 0 || second.kind == ',' || second.kind == '}':
		l.rest = before
		r.this.add(pair{l.Place, first.text, ""})
		return second.kind != 0, nil
	case second.kind == 'o':
		return true, p.pair(r, l, first.text)
	case second.kind == '{':
		return p.begin(r, l, first.text, "")
	}
	brace, err := l.next()
	if err != nil {
		return false, err
	}
	if brace.kind != '{' {
		return false, wrong(l.Place, "expected = or { after %s, got another word", first.text)
	}
	name := p.expand(r.this, l.Place, second.text, isSecret(first.text))
	if err := p.count(l.Place, first.text, name); err != nil {
		return false, err
	}
	return p.begin(r, l, first.text, name)
}

// count bounds values, which references may make longer than the files.
func (p *parser) count(at importer.Place, name, value string) error {
	switch p.bytes += len(value); {
	case len(value) > maxValue:
		return wrong(at, "expected a value of at most %d bytes for %s, got %d", maxValue, name, len(value))
	case p.bytes > maxValues:
		return wrong(at, "expected at most %d bytes in all values", maxValues)
	}
	return nil
}

// pair reads the value after an operator.
func (p *parser) pair(r *reader, l *line, name string) error {
	value, err := l.val()
	if err != nil {
		return err
	}
	if value.quote != '\'' {
		value.text = p.expand(r.this, l.Place, value.text, isSecret(name))
		if _, ok := variable(value.text); !ok || !isSecret(name) { // that of a secret becomes secret_env
			value.text = p.expandEnv(l.Place, value.text)
		}
	}
	if err := p.count(l.Place, name, value.text); err != nil {
		return err
	}
	r.this.add(pair{l.Place, name, value.text})
	if l.skipBlanks(); l.rest != "" && l.rest[0] != '#' && l.rest[0] != ',' && l.rest[0] != '}' {
		return wrong(l.Place, "expected the end of the line after the value of %s, got more", name)
	}
	return nil
}

// begin begins a section, or skips one that is not imported.
func (p *parser) begin(r *reader, l *line, name, second string) (more bool, err error) {
	if !imported(r.this, name) {
		return true, skip(r, l, name)
	}
	s := &section{Place: l.Place, name: name, second: second, parent: r.this, depth: r.this.depth + 1}
	if s.depth > maxNested {
		return false, wrong(l.Place, "expected at most %d sections in each other", maxNested)
	}
	r.this.addSection(s)
	r.this = s
	return true, nil
}

// imported reports whether what is in a section can matter. Others, such as modules and
// authorize, contain a language of their own.
func imported(in *section, name string) bool {
	switch {
	case in.parent == nil:
		switch name {
		case "client", "clients", "listen", "home_server", "home_server_pool", "realm", "proxy", "security", "server":
			return true
		}
		return false
	case in.name == "server":
		return name == "listen" || name == "client" || name == "clients"
	}
	return true
}

// skip skips the rest of a section.
func skip(r *reader, l *line, name string) error {
	begin, depth, end := l.Place, 0, 0
	for {
		if depth, end = l.depth(depth); end >= 0 {
			l.rest = l.rest[end+1:]
			return nil
		}
		text, ok := r.line()
		if !ok {
			return wrong(begin, "expected } for %s, got the end of %s", name, begin.File)
		}
		l.Place, l.rest = r.Place, text
	}
}

// directive follows $INCLUDE.
func (p *parser) directive(r *reader, l *line, name string) error {
	optional := strings.EqualFold(name, "$-INCLUDE")
	value, err := l.val()
	switch {
	case err != nil:
		return err
	case !optional && !strings.EqualFold(name, "$INCLUDE"):
		p.notes = append(p.notes, importer.Note{Place: l.Place, Text: name + " " + value.text + ": templates are not read"})
		return nil
	case value.text == "":
		return wrong(l.Place, "expected the name of a file after %s, got the end of the line", name)
	}
	target := p.expandEnv(l.Place, p.expand(r.this, l.Place, value.text, false))
	isDir := strings.HasSuffix(target, "/")
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(p.open[len(p.open)-1]), target)
	}
	target = p.relocate(path.Clean(target))
	if optional && !p.source.Exists(target) {
		return nil
	}
	files := []string{target}
	if isDir {
		if files, err = p.list(target); err != nil {
			return wrong(l.Place, "expected a directory to include, got %s: %v", target, err)
		}
	}
	for _, file := range files {
		for _, open := range p.open {
			if open == file {
				return wrong(l.Place, "expected another file, got %s, which includes itself", file)
			}
		}
		text, err := p.source.Read(file)
		if err != nil {
			return wrong(l.Place, "expected a file to include, got %s: %v", file, err)
		}
		if err := p.file(file, text, r.this); err != nil {
			return err
		}
	}
	return nil
}

// list returns the files of a directory that FreeRADIUS includes: those whose names have
// letters, digits, hyphens, underscores and full stops only, and do not begin with a full
// stop.
func (p *parser) list(dir string) (files []string, err error) {
	names, err := p.source.List(dir)
	for _, name := range names {
		plain := strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
		file := path.Join(dir, name)
		if plain && name[0] != '.' && !p.source.IsDir(file) {
			files = append(files, file)
		}
	}
	return files, err
}
