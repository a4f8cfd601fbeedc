package logs

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// escaper escapes in lines of JSON what a terminal that shows them might obey, and
// log/slog leaves as it is: the control characters U+007F to U+009F, changes of the
// direction of text, and others that are not printable. Peers choose what is in some
// values. Outside of ASCII a line has these in strings only, where an escape means the
// same (RFC 8259 §7).
type escaper struct{ to io.Writer }

// Write implements io.Writer. It is called once for each line.
func (e escaper) Write(line []byte) (int, error) {
	if _, err := e.to.Write(escape(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// escape returns the line with escapes; it is the same line if it needs none.
func escape(line []byte) []byte {
	var escaped []byte
	kept := 0 // what of line is in escaped
	for i := 0; i < len(line); {
		if line[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		if !unicode.IsPrint(r) {
			escaped = append(escaped, line[kept:i]...)
			kept = i + size
			for _, unit := range utf16.Encode([]rune{r}) {
				escaped = fmt.Appendf(escaped, `\u%04x`, unit)
			}
		}
		i += size
	}
	if kept == 0 {
		return line
	}
	return append(escaped, line[kept:]...)
}
