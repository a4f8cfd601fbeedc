package radsecproxy

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"radsec-gw/importer"
)

// item is an option with its value, or a block.
type item struct {
	importer.Place
	name  string // as written; compared ignoring case
	value string // without quotes; %xx is still encoded
	block bool
	items []item // of a block
}

// is reports whether the item has this name.
func (it *item) is(name string) bool { return strings.EqualFold(it.name, name) }

// title is how a block begins. An option with a brace after it is taken for one, and may
// have a secret as its value, which is omitted.
func (it *item) title() string {
	if _, known := forms[strings.ToLower(it.name)]; known {
		return it.name + " " + strconv.Quote(it.value)
	}
	return it.name
}

// maxItems bounds options and blocks.
const maxItems = 500_000

// parser reads lines. An included file continues the block in which it is included, and may
// even end it.
type parser struct {
	source *importer.Source
	files  []*file // the innermost last
	items  int
}

// file is what remains of a file.
type file struct {
	importer.Place // of the line that was read last
	path           string
	rest           string
}

// parse reads a file. The error is an *importer.Error, or says that the file cannot be read.
func parse(source *importer.Source, name string) ([]item, error) {
	p := &parser{source: source}
	if err := p.open(name); err != nil {
		return nil, wrong(importer.Place{File: name}, "expected a configuration of radsecproxy: %v", err)
	}
	return p.block(nil)
}

func (p *parser) open(name string) error {
	text, err := p.source.Read(name)
	if err != nil {
		return err
	}
	p.files = append(p.files, &file{Place: importer.Place{File: p.source.Shown(name)}, path: name, rest: text})
	return nil
}

// line returns the next line, and where it is; ok is false at the end of the first file.
func (p *parser) line() (text string, at importer.Place, ok bool) {
	for len(p.files) > 0 {
		f := p.files[len(p.files)-1]
		if f.rest != "" {
			text, f.rest, _ = strings.Cut(f.rest, "\n")
			f.Line++
			return text, f.Place, true
		}
		p.files = p.files[:len(p.files)-1]
	}
	return "", at, false
}

// block reads items to the end of a block, or of the first file when outer is nil.
func (p *parser) block(outer *item) (items []item, err error) {
	for {
		text, at, ok := p.line()
		if !ok && outer == nil {
			return items, nil
		} else if !ok {
			return nil, wrong(outer.Place, "expected } for %s, got the end of the file", outer.title())
		}
		words, err := split(at, text)
		switch {
		case err != nil:
			return nil, err
		case len(words) == 0:
			continue
		case words[0][0] == '}' && outer == nil:
			return nil, wrong(at, "expected an option or a block, got }: there is no { before it")
		case words[0][0] == '}':
			return items, nil
		}
		it, err := newItem(at, words)
		if err != nil {
			return nil, err
		}
		if p.items++; p.items > maxItems {
			return nil, wrong(at, "expected at most %d options and blocks", maxItems)
		}
		switch {
		case it.block && outer != nil:
			return nil, wrong(at, "expected an option of %s, or }, got the block %s", outer.title(), it.title())
		case it.block:
			if it.items, err = p.block(&it); err != nil {
				return nil, err
			}
		case it.is("include"):
			if err := p.include(at, it.value); err != nil {
				return nil, err
			}
			continue
		}
		items = append(items, it)
	}
}

// include opens the files that match a pattern, so that the first is read first. None is
// not a mistake.
func (p *parser) include(at importer.Place, pattern string) error {
	if !path.IsAbs(pattern) {
		pattern = path.Join(path.Dir(p.files[len(p.files)-1].path), pattern)
	}
	found, err := p.source.Glob(pattern)
	if err != nil {
		return wrong(at, "expected a pattern of file names, got %q: %v", pattern, err)
	}
	if len(p.files)+len(found) > importer.MaxDepth+importer.MaxFiles {
		return wrong(at, "expected at most %d files, with each inclusion counted", importer.MaxFiles)
	}
	for i := len(found) - 1; i >= 0; i-- {
		for _, open := range p.files {
			if open.path == found[i] && open.Line > 0 {
				return wrong(at, "expected another file, got %s, which includes itself", found[i])
			}
		}
		if err := p.open(found[i]); err != nil {
			return wrong(at, "expected a file to include, got %s: %v", found[i], err)
		}
	}
	return nil
}

// blanks separate words.
const blanks = " \t\r"

// split returns the first three words of a line, which is all that counts; quotes are
// removed. It returns none for an empty line and for a comment.
func split(at importer.Place, text string) (words []string, err error) {
	rest := strings.Trim(text, blanks)
	if strings.HasPrefix(rest, "#") {
		return nil, nil
	}
	for len(words) < 3 && rest != "" {
		word := ""
		if quote := rest[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(rest[1:], quote)
			if end < 0 {
				return nil, wrong(at, "expected another %c at the end of the value, got the end of the line", quote)
			}
			if word, rest = rest[1:1+end], rest[2+end:]; rest != "" && !strings.ContainsRune(blanks, rune(rest[0])) {
				return nil, wrong(at, "expected a blank after the closing %c, got another character", quote)
			}
		} else if end := strings.IndexAny(rest, blanks); end >= 0 {
			word, rest = rest[:end], rest[end:]
		} else {
			word, rest = rest, ""
		}
		words, rest = append(words, word), strings.TrimLeft(rest, blanks)
	}
	if len(words) > 0 && words[0] == "" {
		return nil, wrong(at, "expected the name of an option or a block, got an empty string")
	}
	return words, nil
}

// newItem returns what a line says: NAME VALUE, NAME = VALUE, or NAME VALUE {.
func newItem(at importer.Place, words []string) (item, error) {
	it := item{Place: at, name: words[0]}
	switch {
	case len(words) == 1:
		return it, wrong(at, "expected a value after %s, got the end of the line", it.name)
	case len(words) == 3 && words[1] == "=":
		it.value = words[2]
	case len(words) == 3 && words[2] == "{":
		it.value, it.block = words[1], true
	case len(words) == 3:
		return it, wrong(at, "expected the end of the line or { after %s and its value, got more: a value with blanks must be in quotes, and a comment needs a line of its own", it.name)
	default:
		it.value = words[1]
	}
	if it.value == "" {
		return it, wrong(at, "expected a value after %s, got an empty string", it.name)
	}
	return it, nil
}

// unhex decodes %xx. %00 is decoded in secrets only.
func unhex(s string, null bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i] == '%' && isHex(s[i+1]) && isHex(s[i+2]) {
			if c := hexValue(s[i+1])<<4 | hexValue(s[i+2]); c != 0 || null {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func wrong(at importer.Place, format string, args ...any) error {
	return &importer.Error{Place: at, Text: fmt.Sprintf(format, args...)}
}
