package importer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Place is a line of a file that was imported.
type Place struct {
	File string // as it was named, or below it
	Line int    // from 1; 0: the whole file
}

// String returns FILE:LINE.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Error is a mistake in a file that is imported.
type Error struct {
	Place
	Text string // "expected …, got …"
}

// Error returns FILE:LINE: and the text.
func (e *Error) Error() string { return e.String() + ": " + e.Text }

// Note says what was not carried over, and what to do about it.
type Note struct {
	Place
	Text string
}

// String returns FILE:LINE: and the text.
func (n Note) String() string { return n.Place.String() + ": " + n.Text }

// Draft is a configuration of the gateway that is being written.
type Draft struct {
	Program   string   // whose configuration it was, for the head of the file
	Source    string   // the file or directory that was imported
	SecretDir string   // not empty: secrets go into files there, named in the draft
	Help      []string // lines for the person who imports, to be printed at the end

	head    Table // what belongs to no table
	tables  []*Table
	secrets []SecretFile
	files   Names // of secrets, without the directory, in lower case
	notes   []Note
}

// SecretFile is a file that the draft names, with the secret in it.
type SecretFile struct {
	Path   string
	Secret []byte
}

// Table is one table of the draft: its keys and the comments between them, in the order in
// which they were added.
type Table struct {
	Name     string // "[listen]", "[[client]]", …
	Disabled bool   // it is written as a comment

	draft *Draft
	lines []line
}

// line is a key with its value, or a comment.
type line struct {
	key, value string // value in TOML
	comment    string
}

// Add adds a table. name is as in TOML, with its brackets.
func (d *Draft) Add(name string) *Table {
	t := &Table{Name: name, draft: d}
	d.tables = append(d.tables, t)
	return t
}

// Note records that something was not carried over which belongs to no table.
func (d *Draft) Note(at Place, format string, args ...any) {
	d.Head().Note(at, format, args...)
}

// Notes returns everything that was not carried over.
func (d *Draft) Notes() []Note { return d.notes }

// Secrets returns the files to write when SecretDir is set.
func (d *Draft) Secrets() []SecretFile { return d.secrets }

// Count returns how many tables with this name the draft has, those that are written as
// comments excepted.
func (d *Draft) Count(name string) (n int) {
	for _, t := range d.tables {
		if t.Name == name && !t.Disabled {
			n++
		}
	}
	return n
}

// Set adds a key. value is a string, a bool, an int, a slice of strings, an
// Inline or a slice of these.
func (t *Table) Set(key string, value any) {
	t.lines = append(t.lines, line{key: key, value: encode(value)})
}

// Comment adds a comment.
func (t *Table) Comment(format string, args ...any) {
	t.lines = append(t.lines, line{comment: fmt.Sprintf(format, args...)})
}

// Note adds the comment that something was not carried over.
func (t *Table) Note(at Place, format string, args ...any) {
	n := Note{at, printable(fmt.Sprintf(format, args...))}
	t.draft.notes = append(t.draft.notes, n)
	t.lines = append(t.lines, line{comment: "NOT CARRIED OVER " + n.String()})
}

// SetSecret adds a secret, or the name of a file for it: key is "secret" or
// "health_password". A secret that TOML cannot hold needs such a file. owner, the
// name of the table, becomes part of the file's name, which no other secret has.
func (t *Table) SetSecret(at Place, key, owner string, secret []byte) {
	if t.draft.SecretDir == "" && utf8.Valid(secret) && !strings.ContainsAny(string(secret), "\x00\r\n") {
		t.Set(key, string(secret))
		return
	}
	path := t.draft.secretPath(t.Name, owner, key)
	t.Set(key+"_file", path)
	switch {
	case strings.ContainsAny(string(secret), "\x00\r\n"):
		t.Note(at, "the secret has a NUL byte or an end of line, which the gateway does not allow: agree on another one, and put it into this file")
	case t.draft.SecretDir != "":
		t.draft.secrets = append(t.draft.secrets, SecretFile{path, secret})
	default:
		t.Note(at, "the secret is not UTF-8, and can only be in a file of its own: import with -secret-files DIR, or put it into this one")
	}
}

// Head returns the table of what belongs to no other one, at the beginning of the draft. It
// has only comments.
func (d *Draft) Head() *Table {
	d.head.draft = d
	return &d.head
}

// Remove removes a table that was added.
func (d *Draft) Remove(t *Table) {
	d.tables = slices.DeleteFunc(d.tables, func(other *Table) bool { return other == t })
}

// Empty reports whether a table has neither keys nor comments.
func (t *Table) Empty() bool { return len(t.lines) == 0 }
