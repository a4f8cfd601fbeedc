package certs

import "fmt"

// FileError says what is wrong with a file, and where. It never shows a key, a
// secret or any other of the file's bytes.
type FileError struct {
	File string
	Line int // from 1; 0 when the file as a whole is meant
	Text string
	Err  error // a cause of the standard library, such as x509's; nil: none
}

// Error gives "file:line: text".
func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return e.File + ": " + e.Text
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// faultIn makes a FileError; a cause may be among args.
func faultIn(file string, line int, format string, args ...any) *FileError {
	e := &FileError{File: file, Line: line, Text: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.Err = err
		}
	}
	return e
}
