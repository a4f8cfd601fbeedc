package config

import (
	"strconv"
	"strings"
)

// lines maps the path of a key ("client[1].networks[0]", indexes from 0) to its line in one
// file, from 1. The TOML library reports the positions of tables and keys at most, never
// those of the elements of an array, so the file is walked again.
type lines map[string]int

// line returns the line of path, or of the nearest thing around it that is in the file.
func (l lines) line(path string) int {
	for {
		if n, ok := l[path]; ok {
			return n
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return 0
		}
		path = path[:cut]
	}
}

// joinKey appends a key to the path of its table. Keys that TOML would want
// quoted are quoted here too, so that paths are unambiguous.
func joinKey(path, key string) string {
	if key == "" || strings.IndexFunc(key, func(r rune) bool { return r > 127 || !isBareKey(byte(r)) }) >= 0 {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// joinIndex appends an index to the path of its array.
func joinIndex(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func isBareKey(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// maxPath bounds the paths that are kept: no key of ours is that long, and
// without a bound a thousand nested brackets would cost a million bytes.
const maxPath = 512

// locate finds the line of every key, table and array element of src, which
// the TOML library has accepted already. On other input it still ends, with
// lines that mean nothing.
func locate(src string) lines {
	l := locator{src: src, line: 1, places: lines{}, elements: map[string]int{}}
	table := ""
	for l.skipSpace(); l.pos < len(l.src); l.skipSpace() {
		if l.src[l.pos] == '[' {
			table = l.header()
		} else {
			l.pair(table)
		}
	}
	return l.places
}

// locator is a cursor over a TOML file.
type locator struct {
	src       string
	pos, line int
	places    lines
	elements  map[string]int // how many [[path]] there were so far
}

func (l *locator) note(path string) {
	if _, ok := l.places[path]; !ok && len(path) <= maxPath {
		l.places[path] = l.line
	}
}

// peek returns the byte at the cursor, 0 at the end.
func (l *locator) peek() byte {
	if l.pos < len(l.src) {
		return l.src[l.pos]
	}
	return 0
}

// advance moves over n bytes, counting lines.
func (l *locator) advance(n int) {
	end := min(l.pos+n, len(l.src))
	l.line += strings.Count(l.src[l.pos:end], "\n")
	l.pos = end
}

// skipSpace moves over white space, ends of lines and comments.
func (l *locator) skipSpace() {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\r', '\n':
			l.advance(1)
		case '#':
			l.skipLine()
		default:
			return
		}
	}
}

func (l *locator) skipLine() {
	if n := strings.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
		l.pos += n
	} else {
		l.pos = len(l.src)
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table it opens. A
// part that names an array of tables means its latest element.
func (l *locator) header() string {
	array := strings.HasPrefix(l.src[l.pos:], "[[")
	l.advance(1)
	if array {
		l.advance(1)
	}
	path := ""
	for {
		path = bounded(path, joinKey(path, l.key()))
		if l.peek() != '.' {
			break
		}
		l.advance(1)
		if n := l.elements[path]; n > 0 {
			path = joinIndex(path, n-1)
		}
	}
	l.note(path)
	if array {
		l.elements[path]++
		path = joinIndex(path, l.elements[path]-1)
		l.note(path)
	}
	l.skipLine()
	return path
}

// pair reads key = value, the key with dots or without.
func (l *locator) pair(table string) {
	before := l.pos
	path := table
	for {
		path = bounded(path, joinKey(path, l.key()))
		l.note(path)
		if l.peek() != '.' {
			break
		}
		l.advance(1)
	}
	if l.peek() == '=' {
		l.advance(1)
		l.value(path)
	}
	if l.pos == before { // not TOML: go on regardless
		l.advance(1)
	}
}

// key reads one part of a key and the blanks around it.
func (l *locator) key() string {
	l.skipBlanks()
	defer l.skipBlanks()
	if c := l.peek(); c == '"' || c == '\'' {
		start := l.pos
		l.str(c)
		quoted := l.src[start:l.pos]
		if plain, err := strconv.Unquote(quoted); err == nil && c == '"' {
			return plain
		}
		return strings.Trim(quoted, string(c))
	}
	start := l.pos
	for l.pos < len(l.src) && isBareKey(l.src[l.pos]) {
		l.pos++
	}
	return l.src[start:l.pos]
}

func (l *locator) skipBlanks() {
	for c := l.peek(); c == ' ' || c == '\t'; c = l.peek() {
		l.pos++
	}
}

// value reads one value, noting what is inside it.
func (l *locator) value(path string) {
	l.skipSpace()
	switch c := l.peek(); c {
	case '"', '\'':
		l.str(c)
	case '[':
		l.array(path)
	case '{':
		l.inlineTable(path)
	default: // number, boolean, date
		for c := l.peek(); l.pos < len(l.src) && !strings.ContainsRune(",]}#\n", rune(c)); c = l.peek() {
			l.pos++
		}
	}
}

func (l *locator) array(path string) {
	l.advance(1)
	for i := 0; ; i++ {
		l.skipSpace()
		if l.pos == len(l.src) || l.peek() == ']' {
			break
		}
		before := l.pos
		element := bounded(path, joinIndex(path, i))
		l.note(element)
		l.value(element)
		if l.skipSpace(); l.peek() == ',' {
			l.advance(1)
		}
		if l.pos == before {
			l.advance(1)
		}
	}
	l.advance(1)
}

func (l *locator) inlineTable(path string) {
	l.advance(1)
	for {
		l.skipSpace()
		if l.pos == len(l.src) || l.peek() == '}' {
			break
		}
		l.pair(path)
		if l.skipSpace(); l.peek() == ',' {
			l.advance(1)
		}
	}
	l.advance(1)
}

// str reads a string in quotes q, of one line or of several.
func (l *locator) str(q byte) {
	end := string(q)
	if triple := strings.Repeat(end, 3); strings.HasPrefix(l.src[l.pos:], triple) {
		end = triple
	}
	l.advance(len(end))
	for l.pos < len(l.src) && !strings.HasPrefix(l.src[l.pos:], end) {
		if q == '"' && l.src[l.pos] == '\\' {
			l.advance(1)
		}
		l.advance(1)
	}
	l.advance(len(end))
	for len(end) == 3 && l.peek() == q { // up to two quotes may precede the closing three
		l.advance(1)
	}
}

// bounded is next, or path again once next has grown too long to be of use.
func bounded(path, next string) string {
	if len(next) > maxPath {
		return path
	}
	return next
}
