package certs

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// block is one PEM block (RFC 7468).
type block struct {
	kind  string // the label: "CERTIFICATE"
	line  int    // of BEGIN
	bytes []byte // the decoded base64
}

const (
	beginMark = "-----BEGIN "
	endMark   = "-----END "
	dashes    = "-----"
)

// onlyBlocks is a command that prints the blocks of a file and nothing else.
// "openssl x509" would print the first certificate only.
const onlyBlocks = "sed -n '/^-----BEGIN/,/^-----END/p'"

// readPEM returns the blocks of a PEM file, in order; want, such as "CERTIFICATE",
// is for errors. Anything that is not a whole block is an error with its line. RFC 7468
// §2 lets parsers skip other text; this one does not.
//
// Lines end with LF or CRLF, the last one may lack its end. Lines may end with blanks
// and tabs, or be empty (RFC 7468 §3). Lines of base64 may have any length.
func readPEM(file, want string, data []byte) ([]block, error) {
	if err := checkText(file, want, data); err != nil {
		return nil, err
	}
	r := pemReader{file: file, want: want}
	lines := bytes.SplitAfter(data, []byte{'\n'})
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		r.line, r.last = i+1, i == len(lines)-1
		if err := r.read(line); err != nil {
			return nil, err
		}
	}
	if r.inside {
		return nil, r.cutShort()
	}
	if len(r.blocks) == 0 {
		return nil, errorIn(file, 0, "expected PEM with \"BEGIN %s\", got only empty lines", want)
	}
	return r.blocks, nil
}

// pemReader reads a PEM file line by line.
type pemReader struct {
	file, want string
	line       int  // of the line being read, from 1
	last       bool // it is the file's last
	blocks     []block

	inside bool // after BEGIN and before END
	kind   string
	begin  int      // its line
	body   []string // lines of base64, without trailing blanks
	at     []int    // their line numbers
}

func (r *pemReader) wrong(format string, args ...any) error {
	return errorIn(r.file, r.line, format, args...)
}

func (r *pemReader) cutShort() error {
	return errorIn(r.file, r.begin, "\"BEGIN %s\" has no END: the file is cut short", r.kind)
}

// read reads one line, including its end.
func (r *pemReader) read(raw []byte) error {
	if line, ok := bytes.CutSuffix(raw, []byte{'\n'}); ok { // a CR alone ends no line, not even the last one
		raw = bytes.TrimSuffix(line, []byte{'\r'})
	}
	text := strings.TrimRight(string(raw), " \t")
	if err := r.checkBytes(text); err != nil || text == "" {
		return err
	}
	switch {
	case strings.HasPrefix(text, beginMark):
		return r.readBegin(text)
	case strings.HasPrefix(text, endMark):
		return r.readEnd(text)
	case r.last && strings.HasPrefix(text, "-") && r.inside && isPrefix(text, endMark+r.kind+dashes):
		return r.cutShort()
	case strings.HasPrefix(strings.TrimLeft(text, " \t"), dashes) && text[0] != '-', r.inside && (text[0] == ' ' || text[0] == '\t'):
		return r.wrong("the line is indented: expected no blanks before the blocks")
	case r.inside:
		return r.readBase64(text)
	}
	return r.wrong("%s", r.outside(text))
}

// isPrefix reports whether whole begins with text.
func isPrefix(text, whole string) bool { return strings.HasPrefix(whole, text) }

// checkBytes refuses bytes that no line of a PEM file contains.
func (r *pemReader) checkBytes(text string) error {
	switch {
	case strings.HasPrefix(text, utf8Mark):
		return r.wrong("a byte order mark (UTF-8) begins the line: files with a mark were concatenated; remove it")
	case strings.IndexByte(text, 0) >= 0:
		return r.wrong("NUL bytes: expected text; the file is damaged, or was not completely written")
	case strings.IndexByte(text, '\r') >= 0:
		return r.wrong("carriage returns without line feeds: expected lines that end with LF or CRLF")
	}
	return nil
}

// label returns the text between mark and the closing hyphens, and the rest of the
// line.
func label(text, mark string) (kind, rest string, ok bool) {
	kind, rest, ok = strings.Cut(text[len(mark):], dashes)
	ok = ok && kind != "" && len(kind) <= 64 && strings.Trim(kind, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .#_+-") == "" && kind == strings.TrimSpace(kind)
	return kind, rest, ok
}

func (r *pemReader) readBegin(text string) error {
	if r.inside {
		return r.wrong("\"BEGIN\" inside the block of line %d, which has no END: the file was cut short there, and then continued", r.begin)
	}
	kind, rest, ok := label(text, beginMark)
	switch {
	case !ok:
		return r.wrong("the line is incomplete: expected %q, as in \"-----BEGIN %s-----\"", "-----BEGIN KIND-----", r.want)
	case strings.HasPrefix(rest, `\n`):
		return r.wrong("the line ends are written as \\n: expected real line ends")
	case rest != "":
		return r.wrong("text after \"-----BEGIN %s-----\" on the same line: the file has lost its line ends", kind)
	}
	r.inside, r.kind, r.begin, r.body, r.at = true, kind, r.line, nil, nil
	return nil
}

func (r *pemReader) readEnd(text string) error {
	if !r.inside {
		return r.wrong("\"END\" without a BEGIN before it: the beginning of the file is missing, or the line should be removed")
	}
	kind, rest, ok := label(text, endMark)
	switch {
	case r.last && isPrefix(text, endMark+r.kind+dashes) && !ok:
		return r.cutShort()
	case !ok:
		return r.wrong("the line is incomplete: expected \"-----END %s-----\"", r.kind)
	case kind != r.kind:
		return r.wrong("\"END %s\" closes \"BEGIN %s\" of line %d: expected one kind", kind, r.kind, r.begin)
	case strings.HasPrefix(rest, beginMark):
		return r.wrong("\"END\" and \"BEGIN\" are on the same line: files were concatenated, and the first ends without a newline; break the line between them")
	case rest != "":
		return r.wrong("text after \"-----END %s-----\" on the same line", kind)
	}
	der, err := r.decode()
	if err != nil {
		return err
	}
	r.blocks = append(r.blocks, block{kind, r.begin, der})
	r.inside = false
	return nil
}

// readBase64 reads a line between BEGIN and END.
func (r *pemReader) readBase64(text string) error {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
	encrypted := strings.HasPrefix(text, "Proc-Type:") && strings.Contains(text, "ENCRYPTED")
	switch {
	case encrypted:
		return r.wrong("%s", encryptedKey)
	case len(r.body) == 0 && strings.Contains(text, ":"):
		return r.wrong("a header inside the block of line %d: expected base64 only (RFC 7468 §2)", r.begin)
	case strings.Contains(text, endMark):
		return r.wrong("\"END\" after base64 on the same line: expected it on a line of its own")
	}
	if bad := strings.TrimLeft(text, alphabet); bad != "" {
		return r.wrong("the base64 is damaged: the character in column %d is not base64", len(text)-len(bad)+1)
	}
	if n := len(r.body); n > 0 && strings.HasSuffix(r.body[n-1], "=") {
		return r.wrong("the base64 is damaged: it continues after its end (\"=\" on line %d)", r.at[n-1])
	}
	if strings.Contains(strings.TrimRight(text, "="), "=") {
		return r.wrong("the base64 is damaged: \"=\" before its end")
	}
	r.body, r.at = append(r.body, text), append(r.at, r.line)
	return nil
}

// decode decodes the content of the block.
func (r *pemReader) decode() ([]byte, error) {
	if len(r.body) == 0 {
		return nil, errorIn(r.file, r.begin, "the block %q is empty", r.kind)
	}
	der, err := base64.StdEncoding.Strict().DecodeString(strings.Join(r.body, ""))
	if err != nil {
		return nil, errorIn(r.file, r.suspect(), "the base64 is damaged: the line is too short or too long, or its end is damaged")
	}
	return der, nil
}

// suspect returns the number of the line that is most likely damaged: the first whose
// length differs from that of the lines before it, or else the last.
func (r *pemReader) suspect() int {
	last := len(r.body) - 1
	for i, text := range r.body[:last] {
		if len(text) != len(r.body[0]) || len(text)%4 != 0 && i > 0 {
			return r.at[i]
		}
	}
	return r.at[last]
}

// outside describes a line of text outside of the blocks, without its content.
func (r *pemReader) outside(text string) string {
	first := strings.TrimLeft(text, " \t")
	what := "text outside of the blocks"
	switch {
	case strings.HasPrefix(first, "Bag Attributes"), strings.HasPrefix(first, "Key Attributes"):
		what = fmt.Sprintf("%q, which openssl pkcs12 writes, outside of the blocks", first[:len("Bag Attributes")])
	case strings.HasPrefix(first, "Certificate:"), strings.HasPrefix(first, "Certificate Revocation List"):
		what = "the text of openssl's -text outside of the blocks"
	case strings.HasPrefix(first, "subject="), strings.HasPrefix(first, "issuer="), strings.HasPrefix(first, "subject:"):
		what = "the subject and issuer lines of openssl outside of the blocks"
	case strings.HasPrefix(first, "#"):
		what = "a comment outside of the blocks"
	case strings.HasPrefix(first, "---"), strings.Contains(first, "BEGIN "), strings.Contains(first, "END "):
		return fmt.Sprintf("a damaged line of a block's beginning or end: expected it to begin with five hyphens, as \"-----BEGIN %s-----\"", r.want)
	case len(text) >= 32 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == "":
		return fmt.Sprintf("base64 without \"-----BEGIN %s-----\" before it: the beginning of the file is missing", r.want)
	}
	return what + ": expected only blocks; `" + onlyBlocks + " FILE` prints the blocks alone"
}
