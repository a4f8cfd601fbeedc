package files

import (
	"fmt"
	"runtime"
)

// Parse calls parse, which reads what the file at path holds, and returns its error. If it
// panics that is an error, too, which names the file: a running gateway refuses the file and
// goes on. The error has nothing that the panic may have from the file.
func (s *Snapshot) Parse(path string, parse func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s has something that makes the parser fail%s; please report this as a bug", path, reasonOf(v))
		}
	}()
	if s.reader.Parsing != nil {
		s.reader.Parsing(path)
	}
	return parse()
}

// reasonOf describes the value of a panic, if that is known to have nothing but numbers and
// types.
func reasonOf(v any) string {
	if err, ok := v.(runtime.Error); ok {
		return " (" + err.Error() + ")"
	}
	return ""
}
