package radsecproxy

import (
	"net/netip"
	"net/url"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/importer"
)

// conditions are what a [[client]] demands of the certificate. Within a key one value must
// match; all keys must.
type conditions struct {
	keys   map[string][]string
	failed []importer.Note // conditions that cannot be carried over
	remark string
}

func (m *conditions) fail(at importer.Place, text string) {
	m.failed = append(m.failed, importer.Note{Place: at, Text: text})
}

// add adds a key. Two conditions on the same key would both have to hold, which the gateway
// cannot express.
func (m *conditions) add(at importer.Place, key string, values ...string) {
	if before, ok := m.keys[key]; ok && !slices.Equal(before, values) {
		m.fail(at, "two conditions on "+key+" that must both hold: the gateway demands one of the names in a key")
		return
	}
	m.keys[key] = values
}

// checkNames is CertificateNameCheck: the certificate must have the name or the address of
// the client. Networks are not compared.
func (m *conditions) checkNames(b *block, h hosts) {
	const remark = "radsecproxy also accepts a certificate without subjectAltName whose CN is the name or the address of the client; for such a client, write common_name instead of san_dns or san_ip"
	name, given := b.last("ServerName")
	addr, err := netip.ParseAddr(name.value)
	switch {
	case given && len(h.networks) > 0: // not compared
	case given && err == nil:
		m.add(name.Place, "san_ip", addr.String())
	case given:
		m.addDNS(name.Place, name.value)
	case len(h.addresses) > 0:
		m.remark = remark
		m.add(b.Place, "san_ip", "source")
	case len(h.names) > 0:
		m.remark = remark
		m.addDNS(b.Place, h.names...)
	}
}

// addDNS adds names as san_dns.
func (m *conditions) addDNS(at importer.Place, names ...string) {
	for _, name := range names {
		if !isDNSPattern(name) {
			m.fail(at, "expected a host name for san_dns, got "+strconv.Quote(name))
			return
		}
	}
	m.add(at, "san_dns", names...)
}

// naiRealm is the object identifier of NAIRealm (RFC 7585 §2.2).
const naiRealm = "1.3.6.1.5.5.7.8.8"

// match adds MatchCertificateAttribute.
func (m *conditions) match(it item) {
	kind, rest, _ := strings.Cut(it.value, ":")
	fields := strings.SplitN(rest, ":", 2)
	value := fields[len(fields)-1]
	what := ""
	if strings.EqualFold(kind, "SubjectAltName") && len(fields) == 2 {
		what = strings.ToLower(fields[0])
	} else if strings.EqualFold(kind, "CN") {
		what, value = "cn", rest
	}
	ok := false
	switch what {
	case "cn":
		ok = m.matchText(it.Place, value, "common_name", globs)
	case "dns":
		ok = m.matchText(it.Place, value, "san_dns", dnsNames)
	case "uri":
		ok = m.matchText(it.Place, value, "san_uri", uris)
	case "ip":
		if addr, err := netip.ParseAddr(strings.Trim(value, "[]")); err == nil {
			m.add(it.Place, "san_ip", addr.String())
			ok = true
		}
	case "othername":
		oid, expr, _ := strings.Cut(value, ":")
		ok = oid == naiRealm && m.matchText(it.Place, expr, "san_nairealm", realms)
	}
	if !ok {
		m.fail(it.Place, "MatchCertificateAttribute "+it.value+": the gateway has no such condition; see networks to policy_oid of [[client]] for those that it has")
	}
}

// matchText adds the values that a regular expression matches, as values returns them.
func (m *conditions) matchText(at importer.Place, expr, key string, values func(parts []*syntax.Regexp) []string) bool {
	expr, isExpression := strings.CutPrefix(expr, "/")
	tree, err := parseExpression(strings.TrimSuffix(expr, "/"))
	if !isExpression || err != nil {
		return false
	}
	found := values(sequence(tree))
	if len(found) == 0 {
		return false
	}
	m.add(at, key, found...)
	return true
}

// anchored removes ^ and $ from a sequence; ok is false if it does not have both.
func anchored(parts []*syntax.Regexp) (inner []*syntax.Regexp, ok bool) {
	if n := len(parts); n > 2 && parts[0].Op == syntax.OpBeginText && parts[n-1].Op == syntax.OpEndText {
		return parts[1 : n-1], true
	}
	return parts, false
}

// globs returns common names: a text, with * where the expression matches anything.
func globs(parts []*syntax.Regexp) []string {
	var b strings.Builder
	star := func() {
		if !strings.HasSuffix(b.String(), "*") {
			b.WriteByte('*')
		}
	}
	inner := parts
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		inner = inner[1:]
	} else {
		star()
	}
	end := len(inner) > 0 && inner[len(inner)-1].Op == syntax.OpEndText
	if end {
		inner = inner[:len(inner)-1]
	}
	for _, re := range inner {
		switch {
		case re.Op == syntax.OpLiteral && !slices.Contains(re.Rune, '*'):
			b.WriteString(string(re.Rune))
		case re.Op == syntax.OpStar && isAny(re) && re.Sub[0].Op != syntax.OpCharClass:
			star()
		default:
			return nil
		}
	}
	if !end {
		star()
	}
	return []string{b.String()}
}

// dnsNames returns names of subjectAltName, dNSName: a text, or a text with any labels
// before it, of which the gateway allows one.
func dnsNames(parts []*syntax.Regexp) []string {
	inner, ok := anchored(parts)
	if !ok {
		return nil
	}
	var names []string
	switch name, isText := literalText(inner[len(inner)-1:]); {
	case !isText:
		return nil
	case len(inner) == 1:
		names = []string{name}
	case len(inner) == 2 && isOptionalLabels(inner[0]):
		names = []string{name, "*." + name}
	case len(inner) == 2 && strings.HasPrefix(name, ".") && (isAny(inner[0]) || isLabel(inner[0])):
		names = []string{"*" + name}
	}
	if slices.ContainsFunc(names, func(s string) bool { return !isDNSPattern(s) }) {
		return nil
	}
	return names
}

// isLabel reports whether an expression matches letters, digits and hyphens, as many as
// there are.
func isLabel(re *syntax.Regexp) bool {
	return (re.Op == syntax.OpPlus || re.Op == syntax.OpStar) && re.Sub[0].Op == syntax.OpCharClass && re.String() != "[^@]"
}

// isDNSPattern reports whether san_dns can have a name.
func isDNSPattern(s string) bool {
	name, wild := strings.CutPrefix(s, "*.")
	for _, label := range strings.Split(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(s) <= 253 && (!wild || strings.Contains(name, "."))
}

// uris returns a URI as the gateway compares it, byte by byte.
func uris(parts []*syntax.Regexp) []string {
	inner, ok := anchored(parts)
	if !ok || len(inner) != 1 || inner[0].Op != syntax.OpLiteral {
		return nil
	}
	if u, err := url.Parse(string(inner[0].Rune)); err != nil || u.Scheme == "" {
		return nil
	}
	return []string{string(inner[0].Rune)}
}

// realms returns a realm of NAIRealm.
func realms(parts []*syntax.Regexp) []string {
	inner, ok := anchored(parts)
	if !ok {
		return nil
	}
	if name, ok := literalText(inner); ok && !strings.ContainsAny(name, "*@") {
		return []string{name}
	}
	return nil
}

// write writes the keys, in the order of the manual.
func (m *conditions) write(t *importer.Table) {
	for _, key := range []string{"san_dns", "san_ip", "san_uri", "san_nairealm", "common_name"} {
		if values, ok := m.keys[key]; ok {
			t.Set(key, values)
		}
	}
}
