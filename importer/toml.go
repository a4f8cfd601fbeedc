package importer

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// commentWidth is how long a line of a comment may become, in characters.
const commentWidth = 95

// WriteTo writes the draft as TOML.
func (d *Draft) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	b := bufio.NewWriter(counted)
	writeComment(b, fmt.Sprintf("Imported from %s of %s by radsec-gw import. What could not be carried over is in a comment that begins with NOT CARRIED OVER. Before use: radsec-gw check -config FILE", d.Source, d.Program))
	for _, l := range d.head.lines {
		writeLine(b, l, false)
	}
	for _, t := range d.tables {
		t.write(b)
	}
	err := b.Flush()
	return counted.n, err
}

func (t *Table) write(b *bufio.Writer) {
	b.WriteByte('\n')
	// Comments before the first key are about the table, and precede it.
	first := 0
	for ; first < len(t.lines) && t.lines[first].key == ""; first++ {
		writeLine(b, t.lines[first], false)
	}
	if t.Name != "" {
		writeLine(b, line{value: t.Name}, t.Disabled)
	}
	for _, l := range t.lines[first:] {
		writeLine(b, l, t.Disabled)
	}
}

// writeLine writes a key or a comment. A key of a disabled table becomes a comment.
func writeLine(b *bufio.Writer, l line, disabled bool) {
	switch {
	case l.comment != "":
		writeComment(b, l.comment)
		return
	case disabled:
		b.WriteString("# ")
	}
	if l.key != "" {
		b.WriteString(l.key + " = ")
	}
	b.WriteString(l.value + "\n")
}

// writeComment writes a comment, a line for each commentWidth characters. Lines that begin
// with a blank are kept as they are.
func writeComment(b *bufio.Writer, text string) {
	for _, paragraph := range strings.Split(text, "\n") {
		paragraph = printable(paragraph)
		if strings.HasPrefix(paragraph, " ") {
			b.WriteString("#" + paragraph + "\n")
			continue
		}
		n := 0
		for _, word := range strings.Fields(paragraph) {
			length := utf8.RuneCountInString(word)
			switch {
			case n == 0:
				b.WriteByte('#')
			case n+1+length > commentWidth:
				b.WriteString("\n#  ")
				n = 2
			}
			b.WriteString(" " + word)
			n += 1 + length
		}
		b.WriteByte('\n')
	}
}

// printable replaces what TOML does not allow in a comment.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r != '\n' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// encode returns a value in TOML.
func encode(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case []string:
		var all []string
		for _, s := range v {
			all = append(all, quote(s))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case Inline:
		return v.encode()
	case []Inline:
		var all []string
		for _, one := range v {
			all = append(all, one.encode())
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	panic(fmt.Sprintf("importer: a value of type %T", value))
}

// Inline is an inline table, such as { pattern = "a", with = "b" }.
type Inline []Pair

// Pair is a key of an inline table with its value, of the types that Set takes.
type Pair struct {
	Key   string
	Value any
}

func (t Inline) encode() string {
	var all []string
	for _, p := range t {
		key := p.Key
		if key == "" || strings.ContainsFunc(key, notBare) {
			key = quote(key)
		}
		all = append(all, key+" = "+encode(p.Value))
	}
	return "{ " + strings.Join(all, ", ") + " }"
}

// notBare reports whether a key with r must be in quotes.
func notBare(r rune) bool {
	return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
}

// quote returns a string of TOML: a literal one if that is easier to read.
func quote(s string) string {
	if strings.Contains(s, `\`) && !strings.ContainsRune(s, '\'') && !strings.ContainsFunc(s, special) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case special(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// special reports whether a string of TOML must escape r.
func special(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }

// secretPath returns where a secret goes: a name made of the table and the owner, and of a
// number where that alone is another's already.
func (d *Draft) secretPath(table, owner, key string) string {
	clean := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			return r
		}
		return '-'
	}, owner)
	name := strings.Trim(table, "[]") + "-" + clean
	if key != "secret" {
		name += "-" + key
	}
	name = name[:min(len(name), 200)]
	// Some file systems ignore case.
	return path.Join(d.SecretDir, name+d.files.suffix("file", strings.ToLower(name))+".secret")
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
