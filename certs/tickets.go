package certs

import (
	"bytes"
	"encoding/hex"
	"strings"
)

const maxTicketKeys = 16 // a ticket that none of them decrypts costs as many attempts

// ParseTicketKeys parses session ticket keys: 1 to 16 different ones, each of 32 bytes
// in hex on a line; "#" begins a comment. text is the content of file. Errors do not
// contain bytes of the file.
func ParseTicketKeys(file string, text []byte) ([][32]byte, error) {
	if mark := byteOrderMark(text); mark != "" {
		return nil, errorIn(file, 1, "a byte order mark (%s) begins the file: save it as ASCII or as UTF-8 without a mark", mark)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errorIn(file, 0, "expected 1 to %d keys, got an empty file", maxTicketKeys)
	}
	var keys [][32]byte
	first := map[[32]byte]int{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		key, ok, err := ticketKey(file, n, line)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if at := first[key]; at > 0 {
			return nil, errorIn(file, n, "the key is listed twice: it is already on line %d; expected different keys", at)
		}
		first[key] = n
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > maxTicketKeys {
		return nil, errorIn(file, 0, "expected 1 to %d keys, got %d", maxTicketKeys, len(keys))
	}
	return keys, nil
}

// ticketKey parses line n; ok is false if it has no key.
func ticketKey(file string, n int, line string) (key [32]byte, ok bool, err error) {
	wrong := func(what string, args ...any) error {
		return errorIn(file, n, "expected 64 hex digits, as \"openssl rand -hex 32\" prints, got "+what, args...)
	}
	digits, _, _ := strings.Cut(line, "#")
	digits = strings.Trim(digits, " \t\r\n")
	switch {
	case strings.HasPrefix(digits, dashes):
		return key, false, wrong("a line of PEM")
	case strings.IndexByte(line, 0) >= 0:
		return key, false, wrong("NUL bytes: the file is damaged, or was not completely written")
	case digits == "":
		return key, false, nil
	case strings.Trim(digits, "0123456789abcdefABCDEF") != "":
		return key, false, wrong("%d characters that are not all hex digits", len(digits))
	case len(digits) != 64:
		return key, false, wrong("%d: is the line cut short, or are two joined?", len(digits))
	}
	if _, err := hex.Decode(key[:], []byte(digits)); err != nil {
		return key, false, wrong("something else")
	}
	if key == [32]byte{} {
		return key, false, wrong("only zeros: anybody could guess them")
	}
	if guessable(key) {
		return key, false, wrong("a pattern: anybody could guess it")
	}
	return key, true, nil
}

// guessable reports whether a key has fewer different bytes than one made at random ever
// has (fewer than 12 happens once in 10¹⁵ keys), or counts up or down.
func guessable(key [32]byte) bool {
	seen, steps := map[byte]bool{}, map[byte]bool{}
	for i, b := range key {
		seen[b] = true
		if i > 0 {
			steps[b-key[i-1]] = true
		}
	}
	return len(seen) < 12 || len(steps) < 4
}
