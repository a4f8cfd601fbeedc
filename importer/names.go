package importer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxName is how long Name makes a name, in bytes. The configuration allows 100, so that
// "-" and the number that Names appends fit: there are fewer tables than 10 to the 9.
const maxName = 90

// Name returns a name for a client or a server as the configuration demands it: printable,
// without blanks around it, and at most maxName bytes.
func Name(s string) string {
	s = strings.TrimSpace(printable(strings.ToValidUTF8(s, "?")))
	for len(s) > maxName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = strings.TrimSpace(s[:len(s)-size])
	}
	if s == "" {
		return "unnamed"
	}
	return s
}

// Names are the names that are taken. The zero value has none.
type Names struct {
	// last has each name that is taken with its kind, and the last number that was appended
	// to it: searching from 2 each time would be quadratic in how often a name is wanted.
	last map[[2]string]int
}

// Unique makes a Name of s, appends the first number that makes it unlike all other names
// of its kind, if it is not so already, and takes it. Kinds are kinds of tables, such as
// "client".
func (n *Names) Unique(kind, s string) string {
	name := Name(s)
	return name + n.suffix(kind, name)
}

// suffix returns what makes a name unlike all others of its kind, and takes both together.
func (n *Names) suffix(kind, name string) (suffix string) {
	if n.last == nil {
		n.last = map[[2]string]int{}
	}
	number, taken := n.last[[2]string{kind, name}]
	for taken {
		number++
		suffix = "-" + strconv.Itoa(number)
		_, taken = n.last[[2]string{kind, name + suffix}]
	}
	n.last[[2]string{kind, name}] = max(number, 1)
	n.last[[2]string{kind, name + suffix}] = max(n.last[[2]string{kind, name + suffix}], 1)
	return suffix
}
