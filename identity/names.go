package identity

import (
	"slices"
	"strings"
)

// matchCommonName compares a subject's common name with a pattern, ignoring case; "*"
// matches any number of characters. An empty name matches nothing.
func matchCommonName(pattern, name string) bool {
	if name == "" {
		return false
	}
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		if _, name, ok = strings.Cut(name, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(name, last)
}

func anyName(names []string, pattern string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return matchName(pattern, name) })
}

// matchName compares a SAN dNSName with a configured pattern, ignoring case. In both
// "*" matches one whole label, the leftmost (RFC 6614bis §3.3.1). Client.Validate has
// checked the pattern; the name in the certificate is unchecked.
func matchName(pattern, name string) bool {
	pattern, name = strings.TrimSuffix(pattern, "."), strings.TrimSuffix(name, ".")
	if parent, wild := strings.CutPrefix(name, "*."); wild {
		// A domain of one label belongs to a registry, as in the configuration.
		if !strings.Contains(parent, ".") || strings.Contains(parent, "*") {
			return false
		}
		return strings.EqualFold(pattern, name) || isChild(pattern, parent)
	}
	if name == "" || strings.Contains(name, "*") {
		return false
	}
	if parent, wild := strings.CutPrefix(pattern, "*."); wild {
		return isChild(name, parent)
	}
	return strings.EqualFold(pattern, name)
}

// isChild reports whether name, without wildcard, is one label below parent.
func isChild(name, parent string) bool {
	label, rest, found := strings.Cut(name, ".")
	return found && label != "" && label != "*" && strings.EqualFold(rest, parent)
}
