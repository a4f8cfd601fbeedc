package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The functions here read the forms that single values have. Their errors have the form
// "expected …, got …".

// parseNetwork reads an address range; a bare address is a range of one.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf(`expected an address range such as "192.0.2.0/24" or "2001:db8::/32", got %q`, s)
	}
	if p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("expected a range without bits beyond its length, got %q: did you mean %q or %q?", s, p.Masked(), p.Addr())
	}
	return p, nil
}

// day is what the unit "d" means, whatever the clocks on the wall do.
const day = 24 * time.Hour

// parseDuration reads a duration as time.ParseDuration does, and one with days before the
// rest: "7d", "1d12h".
func parseDuration(s string) (time.Duration, error) {
	count, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(count, 10, 64)
	if err != nil || n > uint64(math.MaxInt64/day) {
		return 0, fmt.Errorf("expected days before the d, got %q", s)
	}
	days := time.Duration(n) * day
	if rest == "" {
		return days, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || rest[0] < '0' || rest[0] > '9' || more > math.MaxInt64-days {
		return 0, fmt.Errorf("expected a duration after the days, got %q", s)
	}
	return days + more, nil
}

// parseFingerprint reads the SHA-256 of a certificate: 32 bytes of hex in
// either case, with or without "sha256:" before them. Between two bytes is
// nothing, one colon or blanks. Anything else is likely a mistake.
func parseFingerprint(s string) (sum [32]byte, err error) {
	bytes, ok := parseHex(cutPrefixFold(strings.TrimSpace(s), "sha256:"))
	const expected = "expected a SHA-256 fingerprint, 32 bytes of hex such as \"sha256:12:34:…\""
	switch {
	case !ok:
		return sum, fmt.Errorf("%s, with nothing, one colon or blanks between two bytes, got %q: radsec-gw certs -fingerprint FILE prints one", expected, s)
	case len(bytes) == 20:
		return sum, fmt.Errorf("%s, got 20 bytes, the length of SHA-1: radsec-gw certs -fingerprint FILE prints the right one", expected)
	case len(bytes) != len(sum):
		return sum, fmt.Errorf("%s, got %d bytes", expected, len(bytes))
	}
	return [32]byte(bytes), nil
}

// parseHex reads bytes of hex, with nothing, one colon or blanks between two bytes; blanks
// may surround all of them.
func parseHex(s string) (bytes []byte, ok bool) {
	s = strings.TrimSpace(s)
	for len(s) > 0 {
		one, err := hex.DecodeString(s[:min(2, len(s))])
		if err != nil {
			return nil, false
		}
		bytes = append(bytes, one...)
		s = s[2:]
		if after, colon := strings.CutPrefix(s, ":"); colon {
			if s = after; s == "" {
				return nil, false
			}
		} else {
			s = strings.TrimSpace(s)
		}
	}
	return bytes, true
}

// cutPrefixFold cuts a prefix off, in either case, when it is there.
func cutPrefixFold(s, prefix string) string {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):]
	}
	return s
}

// parseListenAddress reads where to listen: an IP address and a port.
// parseListenAddress reads an address to listen on. Its error has the usual port.
func parseListenAddress(s, usual string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a, nil
	}
	err := fmt.Errorf(`expected an IP address and a port such as "0.0.0.0:%[1]s" or "[::]:%[1]s", got %[2]q`, usual, s)
	if port, ok := strings.CutPrefix(s, ":"); ok && port != "" {
		err = fmt.Errorf("%w: write \"0.0.0.0:%s\" or \"[::]:%s\"", err, port, port)
	} else if _, bare := netip.ParseAddr(s); bare == nil {
		err = fmt.Errorf("%w: the port is missing", err)
	}
	return netip.AddrPort{}, err
}

// checkHostPort checks a host, which may be empty, and a port.
func checkHostPort(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if addr, ipErr := netip.ParseAddr(host); err == nil && host != "" && (ipErr != nil || !addr.IsUnspecified()) {
		err = checkHost(host)
	}
	if err != nil {
		return fmt.Errorf(`expected a host and a port such as "127.0.0.1:9713", or "" to serve none, got %q`, s)
	}
	return nil
}

// checkHost checks the address of a server: an IP address or a host name.
func checkHost(s string) error {
	const expected = "expected an IP address or a host name"
	if addr, err := netip.ParseAddr(s); err == nil {
		if addr.IsUnspecified() || addr.IsMulticast() {
			return fmt.Errorf("%s that one server answers at, got %q", expected, s)
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(s); err == nil {
		return fmt.Errorf("%s without a port, got %q: ports go into auth_port, acct_port and coa_port", expected, s)
	}
	if !isHostName(s) {
		return fmt.Errorf("%s, got %q", expected, s)
	}
	return nil
}

// checkDNSPattern checks a dNSName to compare with: a host name whose leftmost
// label may be "*" as a whole (RFC 9525 §6.3).
func checkDNSPattern(s string) error {
	name, wild := strings.CutPrefix(s, "*.")
	if !isHostName(name) || wild && !strings.Contains(name, ".") {
		return fmt.Errorf(`expected a host name such as "ap1.campus.example", or "*." before a name of two labels or more, got %q`, s)
	}
	return nil
}

// isHostName reports whether s looks like the name of a host (RFC 1123 §2.1,
// with the underscore that Docker's names may have). A last label of digits
// alone is a mistyped IPv4 address.
func isHostName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isBareKey(label[i]) {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// checkName checks the name of a client or a server in logs and metrics.
func checkName(s string) error {
	switch {
	case s == "":
		return errors.New("expected a name, got an empty string")
	case len(s) > 100:
		return fmt.Errorf("expected a name of at most 100 bytes, got %d", len(s))
	case strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("expected a name of printable characters with no blanks around it, got %q", s)
	}
	return nil
}
