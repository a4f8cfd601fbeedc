package certs

import "fmt"

// FileError says what is wrong with a file, and where. It never contains a
// key, a secret or other bytes of the file.
type FileError struct {
	File string
	Line int // from 1; 0 for the file as a whole
	Text string
	Err  error // the cause, such as an error of x509; nil: none
}

// Error returns "file:line: text".
func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return e.File + ": " + e.Text
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// errorIn returns a FileError. If one of args is an error, it is the cause.
func errorIn(file string, line int, format string, args ...any) *FileError {
	e := &FileError{File: file, Line: line, Text: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.Err = err
		}
	}
	return e
}
