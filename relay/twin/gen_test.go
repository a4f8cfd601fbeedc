package twin_test

import (
	"encoding/binary"
	"slices"

	"radsec-gw/relay/twin"
)

// gen makes packets from octets that a fuzzer or a random source provides. After their
// end it continues with zeros, which choose the simplest of everything.
type gen struct{ data []byte }

func (g *gen) next() byte {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return b
}

// n returns a number below k.
func (g *gen) n(k int) int { return int(g.next()) % k }

// one reports true in one of k cases.
func (g *gen) one(k int) bool { return g.n(k) == k-1 }

// octets returns n octets that follow from a single one of the source.
func (g *gen) octets(n int) []byte {
	x := uint32(g.next())*2654435761 + uint32(n)
	b := make([]byte, n)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func pick[T any](g *gen, list ...T) T { return list[g.n(len(list))] }

// length returns a length of at most most octets, often a limit.
func (g *gen) length(most int) int {
	n := pick(g, 0, 1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 34, 48, 128, 129, 144, 237, 238, 239, 240, 241, 243, 246, 247, 252, 253, -1)
	if n < 0 {
		n = int(g.next())
	}
	return min(n, most)
}

func attr(t byte, v ...byte) twin.Attr { return twin.Attr{T: t, V: v} }

func text(t byte, s string) twin.Attr { return twin.Attr{T: t, V: []byte(s)} }

func integer(t byte, n uint32) twin.Attr {
	return twin.Attr{T: t, V: binary.BigEndian.AppendUint32(nil, n)}
}

// withMAC puts a Message-Authenticator, to be filled, among attributes: first,
// last, in between, twice, of another length, or not at all.
func (g *gen) withMAC(list []twin.Attr, must bool) []twin.Attr {
	mac := attr(80, make([]byte, 16)...)
	how := g.n(16)
	switch {
	case how == 15:
		return slices.Concat(list, []twin.Attr{mac, mac})
	case how == 14:
		return append(list, attr(80, make([]byte, g.n(20))...))
	case how > 10 && !must || how == 13:
		return list
	case how > 8:
		return append(list, mac)
	case how > 6 && len(list) > 0:
		return slices.Insert(slices.Clone(list), g.n(len(list)+1), mac)
	}
	return append([]twin.Attr{mac}, list...)
}

func hasEAP(list []twin.Attr) bool {
	return slices.ContainsFunc(list, func(a twin.Attr) bool { return a.T == 79 })
}

// sized makes a list of attributes fit into a packet, and now and then fill it exactly,
// or almost, on the other side; crossed returns the packet there.
func (g *gen) sized(list []twin.Attr, crossed func([]twin.Attr) []byte) []twin.Attr {
	if !g.one(10) {
		return fitting(list, 4096)
	}
	list = fitting(list, 3300)
	whole := crossed(list)
	if whole == nil {
		return list
	}
	var filler []twin.Attr
	for missing := 4096 + pick(g, 0, 0, 1, 2, -1, -18) - len(whole); missing > 1; {
		a := attr(200, make([]byte, min(253, missing-2))...)
		if missing == 256 { // an attribute has at least two octets
			a.V = a.V[:100]
		}
		filler, missing = append(filler, a), missing-2-len(a.V)
	}
	if g.one(2) {
		filler, list = list, filler
	}
	return fitting(append(filler, list...), 4096)
}

// fitting drops attributes from the end until a packet has at most most octets.
func fitting(list []twin.Attr, most int) []twin.Attr {
	n := 20
	for i, a := range list {
		if n += 2 + len(a.V); n > most {
			return list[:i]
		}
	}
	return list
}

// request makes a packet of a client.
func (g *gen) request(s *session) []byte {
	v11 := s.v11
	code := pick[byte](g, 1, 1, 1, 1, 1, 1, 4, 4, 40, 43, 12, 1, 1, 4, 43, 0)
	if code == 0 {
		code = g.next()
	}
	id := byte(g.n(4))
	ra := [16]byte(g.octets(16))
	m := &maker{gen: g, hop: twin.Hop{Secret: clientText}, clear: v11}
	if code == 1 {
		m.hop.Vector = ra
	}
	list := m.attributes()
	if g.one(12) {
		list = append(list, g.mark(s.bed.own()))
	}
	if !v11 || g.one(4) {
		list = g.withMAC(list, code == 12 || hasEAP(list))
	}
	list = g.sized(list, func(list []twin.Attr) []byte {
		whole, _ := twin.ForServer(twin.Assemble(code, id, ra, list), v11, clientText, otherText, s.bed.nas, nil)
		return whole
	})
	p := twin.Assemble(code, id, ra, list)
	if g.one(16) {
		p = g.spoil(p)
	}
	if !v11 && !g.one(40) {
		if _, ok := twin.Parse(p); ok {
			computed := code == 4 || code == 40 || code == 43
			vector := ra
			if computed {
				vector = [16]byte{}
			}
			twin.Sign(p, vector, computed, clientText)
		}
	}
	if g.one(64) {
		p[g.n(len(p))] ^= 1 << g.n(8)
	}
	return p
}

// mark makes a Proxy-State as gateways add it to find loops, often with own in it.
func (g *gen) mark(own []byte) twin.Attr {
	v := []byte("radsecgw")
	for range g.n(22) {
		entry := g.octets(12)
		if g.one(20) {
			copy(entry, own)
		}
		v = append(v, entry...)
	}
	if g.one(8) {
		v = append(v, 0)
	}
	return attr(33, v[:min(len(v), 253)]...)
}

// spoil changes octets of a packet at random, and keeps the Length right most of the
// time.
func (g *gen) spoil(p []byte) []byte {
	p = slices.Clone(p)
	at := 20 + (g.n(256)<<8|g.n(256))%(len(p)-19)
	switch g.n(4) {
	case 0:
		p = append(p[:at], p[min(len(p), at+1+g.n(4)):]...)
	case 1:
		p = slices.Insert(p, at, g.octets(1+g.n(4))...)
	default:
		if at < len(p) {
			p[at] = g.next()
		}
	}
	if len(p) > 4096 {
		p = p[:4096]
	}
	if !g.one(8) {
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	}
	return p
}

// reply makes a server's answer to what it was sent, mostly a valid one.
func (g *gen) reply(f *flight, v11 bool) []byte {
	sent, secret := f.sent, f.from.server.secret
	codes := map[byte][]byte{1: {2, 2, 2, 2, 3, 11, 11, 52}, 4: {5, 5, 5, 52}, 40: {41, 42, 52}, 43: {44, 45, 52}}[sent[0]]
	code := codes[g.n(len(codes))]
	if g.one(20) {
		code = pick[byte](g, 2, 3, 5, 11, 41, 42, 44, 45, 52, 1, 4, 12, g.next())
	}
	ra := [16]byte(sent[4:20])
	m := &maker{gen: g, hop: twin.Hop{Secret: secret, Vector: ra}, reply: true}
	list := m.attributes()
	if code == twin.ProtocolError {
		list = append([]twin.Attr{attr(241, 4, 0, 0, 0, sent[0]), integer(101, pick[uint32](g, 502, 505, 506, 601, 201, 404, 0))}, list...)[g.n(3):]
		if g.one(4) {
			list = append(list, attr(241, 4, 0, 0, 0, pick[byte](g, 1, 4, 40)))
		}
	}
	list = g.withMAC(list, hasEAP(list) || sent[0] == 1)
	list = g.sized(list, func(list []twin.Attr) []byte {
		whole, _ := twin.ForClient(twin.Assemble(code, sent[1], ra, list), f.req, sent, v11, secret, clientText, nil)
		return whole
	})
	p := twin.Assemble(code, sent[1], ra, list)
	if g.one(16) {
		p = g.spoil(p)
	}
	if _, ok := twin.Parse(p); ok && !g.one(30) {
		vector := ra
		if g.one(4) && (sent[0] != 1 || g.one(4)) {
			vector = [16]byte{}
		}
		sum := vector
		twin.Sign(p, vector, false, secret)
		if vector != ra {
			sum = ra
		}
		authenticator := twin.Sum(p, sum, secret)
		copy(p[4:], authenticator[:])
	}
	switch g.n(40) {
	case 37:
		p[1]++
	case 38:
		p[g.n(len(p))] ^= 1 << g.n(8)
	case 39:
		p = append(p, g.octets(g.n(8))...)
	}
	return p
}
