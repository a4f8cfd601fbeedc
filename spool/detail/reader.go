package detail

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// What a Reader accepts. The longest packet, of 4096 octets, is shorter as text.
const (
	maxLine   = 8 << 10   // bytes of a line with its end, as radclient; FreeRADIUS's detail reader has 2047
	maxLines  = 4 << 10   // of a record: more than twice as many as a packet has attributes
	maxRecord = 256 << 10 // bytes of a record
)

// Reader reads the records of a detail file. It is used by one goroutine.
type Reader struct {
	in     *bufio.Reader
	number int // of the last line that was read
	err    error
	names  map[string]*dict.Attribute // by name in lower case, as FreeRADIUS uses it
}

// NewReader returns a Reader of the records in r.
func NewReader(r io.Reader) *Reader {
	names := map[string]*dict.Attribute{}
	for a := range dict.All() {
		if _, reused := differs(a); !reused {
			names[strings.ToLower(a.Name)] = a
		}
	}
	return &Reader{in: bufio.NewReaderSize(r, maxLine), names: names}
}

// RecordError says why a record cannot be read. The next call of Next reads the record after it.
type RecordError struct {
	Line int // where it was noticed
	Err  error
}

func (e *RecordError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

// Next returns the next record. It passes over those that FreeRADIUS has marked as done. The error
// is io.EOF after the last record; a *RecordError if this one cannot be read; or that of reading.
//
// Rules: SP12, SP14.
func (r *Reader) Next() (*Record, error) {
	for {
		lines, err := r.lines()
		if err != nil {
			return nil, err
		}
		p := parser{names: r.names, packet: make([]byte, wire.MinLength), record: new(Record)}
		if err := p.parse(lines); err != nil {
			return nil, err
		}
		if !p.done {
			return p.record, nil
		}
	}
}

// line is a line of a record without the white space around it.
type line struct {
	number int
	text   string
}

// lines returns the lines of the next record. FreeRADIUS ends a record with an empty line, and so
// one that does not end so is not whole.
func (r *Reader) lines() (lines []line, err error) {
	var bad *RecordError
	size := 0
	for {
		text, err := r.readLine()
		switch {
		case err != nil:
		case text == "" && bad != nil:
			return nil, bad
		case text == "" && lines != nil:
			return lines, nil
		case bad == nil && lines == nil && strings.TrimSpace(text) == "":
			continue // between records
		}
		size += len(text)
		switch {
		case bad != nil:
		case errors.Is(err, errLongLine):
			bad = &RecordError{r.number, err}
		case err == io.EOF && lines != nil:
			bad = &RecordError{r.number, errors.New("expected an empty line after the record, got the end of the file: is the record whole? if so, add the line")}
		case err == nil && (len(lines) == maxLines || size > maxRecord):
			bad = &RecordError{r.number, fmt.Errorf("expected a record of at most %d lines and %d bytes: is an empty line missing after an earlier record?", maxLines, maxRecord)}
		}
		switch {
		case bad != nil:
			lines = nil
		case err == nil:
			lines = append(lines, line{r.number, strings.TrimSpace(text)})
		}
		if err != nil && !errors.Is(err, errLongLine) {
			return nil, r.ended(bad, err)
		}
	}
}

// ended returns the error of a record at which reading has ended.
func (r *Reader) ended(bad *RecordError, err error) error {
	if err != io.EOF {
		return fmt.Errorf("line %d: %w", r.number, err)
	}
	if bad != nil {
		return bad
	}
	return io.EOF
}

// errLongLine is the error of readLine for a line that is too long; the next call reads the next.
var errLongLine = fmt.Errorf("expected a line of at most %d bytes", maxLine-1)

// readLine returns the next line without its end. What follows the last end is a line only if
// it has text.
func (r *Reader) readLine() (string, error) {
	if r.err != nil {
		return "", r.err
	}
	text, err := r.in.ReadSlice('\n')
	long := errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.in.ReadSlice('\n')
	}
	r.err = err
	if err == nil || len(text) > 0 {
		r.number++
	}
	switch {
	case long:
		return "", errLongLine
	case err != nil && (err != io.EOF || len(text) == 0):
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
