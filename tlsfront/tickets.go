package tlsfront

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// ParseTicketKeys reads the keys of session tickets: 32 octets of hex a line,
// 1 to 16 lines that are not empty; "#" begins a comment. Its errors do not
// show what the lines hold.
func ParseTicketKeys(text []byte) ([][32]byte, error) {
	var keys [][32]byte
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		octets, err := hex.DecodeString(line)
		if err != nil || len(octets) != 32 {
			return nil, fmt.Errorf("line %d: expected 32 octets of hex, as \"openssl rand -hex 32\" prints, came %d characters of something else", n, len(line))
		}
		keys = append(keys, [32]byte(octets))
	}
	if len(keys) == 0 || len(keys) > 16 {
		return nil, fmt.Errorf("expected 1 to 16 keys, came %d", len(keys))
	}
	return keys, nil
}
