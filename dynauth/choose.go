package dynauth

import (
	"slices"
	"strings"

	"radsec-gw/metrics"
	"radsec-gw/routing"
)

// choice is the connection that a request goes down, or why there is none.
type choice struct {
	link       *Link
	nas        *NAS    // nil: it was not learned, or several at the end of the connection fit
	identifier string  // as configured, that has led to it; "": none
	client     *Client // whose NAS it is; nil: not known
	fate       metrics.Fate
	cause      uint32

	// What another gateway may know better:
	configured bool // only the configuration has led to it
	unnamed    bool // its session has led to it, and the name of its NAS is not known here
}

// mismatch returns the choice for a request whose names contradict each other, or belong to
// several NASes (RFC 8559 §3.3).
func mismatch() choice { return choice{fate: metrics.FateNASMismatch, cause: causeNASMismatch} }

// choose returns the connection for a request (RC8). The first of these that is known
// decides, and the others must not contradict it:
//
//	(a) the local address that it was sent to, if a client has it for its source
//	(b) Operator-NAS-Identifier
//	(c) what was learned of the session
//	(d) what was learned of the NAS
//	(e) Operator-Name, as configured for clients
//	(f) NAS-Identifier and Operator-NAS-Identifier, as configured for clients
func (s *Server) choose(req *request, n *names) choice {
	dir := s.directory.Load()
	ofSource := dir.source(req.from.local)
	configured, contradicted := dir.identified(n)
	operators := dir.operators(n)
	fits := func(c *Client) bool {
		return (configured.client == nil || configured.client == c) && (len(operators) == 0 || slices.Contains(operators, c))
	}
	set := s.candidates(n, ofSource, req)
	nas, found := set.one()
	switch {
	case contradicted || set.contradicted:
		return mismatch()
	case found != nil:
		if !fits(found.client) {
			return mismatch()
		}
		return s.reach(found.client, found.link(), choice{nas: nas, unnamed: set.unknown && !set.known})
	case set.ambiguous:
		return mismatch()
	case ofSource != nil:
		l, one := ofSource.ofSource(req.from.local)
		if !fits(ofSource) || !one { // not one: several devices share the source
			return mismatch()
		}
		return s.reach(ofSource, l, choice{identifier: configured.identifier})
	}
	return s.chooseConfigured(configured, operators)
}

// chooseConfigured chooses by (e) and (f).
func (s *Server) chooseConfigured(configured identified, operators []*Client) choice {
	if c := configured.client; c != nil {
		if len(operators) > 0 && !slices.Contains(operators, c) {
			return mismatch()
		}
		return s.reach(c, c.lastUsed(), choice{identifier: configured.identifier, configured: true})
	}
	var link *Link
	for _, c := range operators {
		if l := c.lastUsed(); l != nil && (link == nil || l.used.Load() > link.used.Load()) {
			link = l
		}
	}
	switch {
	case link != nil:
		return s.reach(link.client, link, choice{configured: true})
	case len(operators) > 0:
		return s.reach(operators[0], nil, choice{configured: true})
	}
	return choice{fate: metrics.FateNoNAS, cause: causeNotRoutable}
}

// reach completes the choice of a client's connection. There may be none, and the client may
// not be one that requests are sent to (RC2).
func (s *Server) reach(c *Client, l *Link, found choice) choice {
	found.client, found.link = c, l
	switch {
	case !c.Reverse():
		found.link, found.fate, found.cause = nil, metrics.FateNotAllowed, causeNotRoutable
	case l == nil:
		found.fate, found.cause = metrics.FateNoNAS, causeNotRoutable
	}
	return found
}

// candidates are the NASes that the keys of a request point to.
type candidates struct {
	list         [2]*NAS // those that all keys have in common
	n            int
	preferred    *NAS // of several, the one that has a name first
	contradicted bool // two keys have none in common
	ambiguous    bool // a key belongs to more NASes than can be told apart
	known        bool // a name of a NAS is one that was learned
	unknown      bool // a NAS-Identifier is not
}

// one returns the NAS that was found. If several are at the end of one connection, nas is nil,
// and found one of them. Both are nil if there is none, or more than one, which is ambiguous.
func (c *candidates) one() (nas, found *NAS) {
	switch p := c.preferred; {
	case c.n == 1:
		return c.list[0], c.list[0]
	case c.n == 0:
		return p, p
	case c.list[0].sameLink(c.list[1]):
		return nil, c.list[0]
	case p != nil && (c.list[0] == p || c.list[1] == p):
		return p, p
	}
	c.ambiguous = true
	return nil, nil
}

// add adds what a key points to.
func (c *candidates) add(found [2]*NAS, many bool, kind keyKind) {
	n := 0
	for n < len(found) && found[n] != nil {
		n++
	}
	c.known = c.known || n > 0 && !kind.namesSession()
	c.unknown = c.unknown || n == 0 && kind == kindNASIdentifier
	if n == 0 {
		return
	}
	if n > 1 && !kind.namesSession() && c.preferred == nil && found[0].client != found[1].client {
		c.preferred = found[0] // one of another client does not displace it (RC9)
	}
	switch {
	case many && kind == kindNASIdentifier:
		c.ambiguous = c.ambiguous || c.preferred == nil
	case many:
		c.ambiguous = c.ambiguous || kind == kindSession || kind == kindMultiSession || kind == kindStation
	case c.n == 0:
		c.list, c.n = found, n
	default:
		c.intersect(found[:n])
	}
}

// intersect removes the candidates that are not in found. One at the end of the same connection
// is as good as the same, if that is not there: a NAS does not give all of its names each time.
func (c *candidates) intersect(found []*NAS) {
	same := func(a, b *NAS) bool { return a == b }
	if !slices.ContainsFunc(c.list[:c.n], func(nas *NAS) bool { return slices.Contains(found, nas) }) {
		same = (*NAS).sameLink
	}
	n := 0
	for _, nas := range c.list[:c.n] {
		if slices.ContainsFunc(found, func(other *NAS) bool { return same(nas, other) }) {
			c.list[n] = nas
			n++
		}
	}
	c.contradicted = c.contradicted || n == 0
	c.n = n
}

// candidates returns the NASes that (b), (c) and (d) point to. Of a request to the source of a
// client, only those at the end of a connection with this source count, and others contradict it.
func (s *Server) candidates(n *names, ofSource *Client, req *request) (c candidates) {
	lim := s.lim()
	now := s.now()
	var links []*Link
	if ofSource != nil {
		links = ofSource.linksOf(req.from.local)
	}
	h := &s.learned.hasher
	var keys keyList
	keys.sessions(h, n, n.class)
	keys.identity(h, n)
	for i := range keys.n {
		found, many := s.learned.lookup(keys.keys[i], keys.kinds[i], now, &lim)
		if ofSource != nil {
			var others bool
			found, others = through(found, links)
			c.contradicted = c.contradicted || others && !many
		}
		c.add(found, many, keys.kinds[i])
	}
	return c
}

// through returns those of the NASes whose connection is one of some, and whether there are only
// others.
func through(found [2]*NAS, links []*Link) (own [2]*NAS, others bool) {
	n := 0
	for _, nas := range found {
		switch {
		case nas == nil:
		case slices.Contains(links, nas.link()):
			own[n] = nas
			n++
		default:
			others = true
		}
	}
	return own, others && n == 0
}

// identified is a client that is configured to have a NAS.
type identified struct {
	client     *Client // nil: none
	identifier string
}

// identified returns the client that is configured to have the NAS of a packet, and whether its
// names are those of two.
func (d *directory) identified(n *names) (found identified, contradicted bool) {
	for _, id := range [...][]byte{n.operatorNAS, n.nasIdentifier} {
		c := d.byIdentifier[string(id)]
		switch {
		case id == nil || c == nil:
		case found.client == nil:
			found = identified{c, string(id)}
		case found.client != c:
			contradicted = true
		}
	}
	return found, contradicted
}

// operators returns the clients that are configured to have the Operator-Name of a packet.
func (d *directory) operators(n *names) []*Client {
	if n.oper == nil || len(d.byOperator) == 0 {
		return nil
	}
	entry, isRealm := routing.Operator(n.oper)
	if entry == "" {
		return nil
	}
	entry = routing.Key(entry)
	if list := d.byOperator[entry]; list != nil {
		return list
	}
	if !isRealm {
		space, _, _ := strings.Cut(entry, ":")
		return d.byOperator[space+":*"]
	}
	for rest := entry; ; {
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			return nil
		}
		if list := d.byOperator["*."+after]; list != nil {
			return list
		}
		rest = after
	}
}
