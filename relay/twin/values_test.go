package twin_test

import (
	"encoding/binary"
	"slices"

	"radsec-gw/relay/twin"
)

// maker makes the attributes of one packet: as its sender hides them, or in clear.
type maker struct {
	*gen
	hop   twin.Hop
	clear bool
	reply bool
}

// hiddenKeys is what is hidden, in a fixed order.
var hiddenKeys = func() []twin.Key {
	var list []twin.Key
	for k := range twin.Hidden {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b twin.Key) int {
		return (int(a.Vendor)-int(b.Vendor))<<20 + (a.Type-b.Type)<<8 + int(a.Sub) - int(b.Sub)
	})
	return list
}()

// attributes returns a row of them.
func (m *maker) attributes() []twin.Attr {
	var list []twin.Attr
	if !m.one(5) {
		list = append(list, text(1, pick(m.gen, "nemo@example.org", "nemo", "@EXAMPLE.org", "a@b@example.org", "nemo@nowhere.example", "")))
	}
	for range m.n(12) {
		list = append(list, m.some()...)
	}
	if m.one(12) { // near the limit
		filler := attr(200, m.octets(253)...)
		for range 10 + m.n(6) {
			list = append(list, filler)
		}
		list = append(list, attr(201, m.octets(m.length(253))...), attr(201, m.octets(m.n(254))...))
	}
	return list
}

// some returns one attribute, or a few that belong together.
func (m *maker) some() []twin.Attr {
	switch m.n(24) {
	case 0, 1:
		return []twin.Attr{m.hidden(pick(m.gen, twin.Key{Type: 2}, twin.Key{Type: 69}, twin.Key{Type: 214}))}
	case 2, 3, 4:
		return []twin.Attr{m.hidden(hiddenKeys[m.n(len(hiddenKeys))])}
	case 5: // of a form that it cannot have
		return []twin.Attr{attr(pick[byte](m.gen, 2, 69, 214, 215), m.octets(m.length(253))...)}
	case 6:
		return []twin.Attr{attr(3, m.octets(pick(m.gen, 17, 17, 0, 16, 253))...)}
	case 7:
		return []twin.Attr{attr(60, m.octets(m.length(253))...)}
	case 8:
		if m.one(3) {
			return []twin.Attr{attr(70, m.octets(pick(m.gen, 16, 0, 17))...)}
		}
		return []twin.Attr{attr(pick[byte](m.gen, 24, 25), m.octets(m.length(253))...)}
	case 9, 10:
		return []twin.Attr{attr(33, m.octets(m.length(253))...)}
	case 11:
		return m.eap()
	case 12:
		return []twin.Attr{integer(101, pick[uint32](m.gen, 0, 201, 401, 502, 505, 506, 507, 601, 700)), attr(101, m.octets(m.n(6))...)}[:1+m.n(2)]
	case 13:
		return []twin.Attr{integer(55, pick[uint32](m.gen, 0, 1, 1<<31))}
	case 14, 15:
		return m.extended()
	case 16:
		return m.wimax()
	case 17:
		return []twin.Attr{m.vendor(pick[uint32](m.gen, 41112, 24757), pick(m.gen, 5, 86, 87), m.tlvs())}
	case 18:
		return []twin.Attr{m.several()}
	case 19:
		return []twin.Attr{m.unfit()}
	case 20:
		return []twin.Attr{m.cisco()}
	case 21:
		return []twin.Attr{attr(pick[byte](m.gen, 126, 44, 32, 8, 18), append([]byte(pick(m.gen, "1example.org", "1EXAMPLE.ORG", "0example.org", "1", "")), m.octets(m.n(3))...)...)}
	case 22:
		return []twin.Attr{attr(m.next(), m.octets(m.length(253))...)}
	}
	return []twin.Attr{attr(26, m.octets(m.length(253))...)}
}

// value returns a value that is hidden by a method as the sender has it: mostly
// well made, with and without what only a lenient reader takes.
func (m *maker) value(how twin.Method, most int) []byte {
	plain := m.octets(m.length(most))
	if m.clear || how == twin.Plain {
		return plain
	}
	switch m.n(8) {
	case 6:
		return plain // noise
	case 7: // padding that is not zero, or a length octet that is too large
		plain = append([]byte{byte(m.n(40))}, plain...)
		for len(plain)%16 != 0 || len(plain) == 0 {
			plain = append(plain, 7)
		}
		return m.limit(how, how.HideBlocks(plain, m.next(), [2]byte(m.octets(2)), m.hop), most)
	}
	space := most - 20
	if how == twin.Ascend {
		space = 16
	} else if how == twin.Password {
		space = most / 16 * 16
	}
	plain = plain[:min(len(plain), max(space, 0))]
	return how.Hide(plain, pick[byte](m.gen, 0, 1, 0x1f, 0x20, 0xff), [2]byte(m.octets(2)), m.hop)
}

func (m *maker) limit(how twin.Method, v []byte, most int) []byte {
	if len(v) > most {
		return how.Hide(nil, 0, [2]byte{}, m.hop)
	}
	return v
}

// hidden returns an attribute that is hidden.
func (m *maker) hidden(k twin.Key) twin.Attr {
	how := twin.Hidden[k]
	if k.Vendor == 0 {
		return twin.Attr{T: byte(k.Type), V: m.value(how, 253)}
	}
	v := m.value(how, 240)
	if k.Sub != 0 {
		v = append([]byte{k.Sub, byte(2 + len(v))}, v...)
	}
	return m.vendor(k.Vendor, k.Type, v)
}

// inner returns one attribute as it is inside a Vendor-Specific.
func inner(vendor uint32, t int, v []byte, more byte) []byte {
	switch vendor {
	case 4846:
		return append([]byte{byte(t >> 8), byte(t), byte(3 + len(v))}, v...)
	case 24757:
		return append([]byte{byte(t), byte(3 + len(v)), more}, v...)
	}
	return append([]byte{byte(t), byte(2 + len(v))}, v...)
}

func vsa(vendor uint32, inside ...[]byte) twin.Attr {
	return twin.Attr{T: 26, V: append(binary.BigEndian.AppendUint32(nil, vendor), slices.Concat(inside...)...)}
}

func (m *maker) vendor(vendor uint32, t int, v []byte) twin.Attr {
	v = v[:min(len(v), 246)]
	return vsa(vendor, inner(vendor, t, v, byte(m.n(2)*m.n(8))))
}

// several returns a Vendor-Specific with several attributes of one vendor.
func (m *maker) several() twin.Attr {
	k := hiddenKeys[m.n(len(hiddenKeys))]
	if k.Vendor == 0 {
		k = twin.Key{Vendor: 311, Type: 16}
	}
	var list [][]byte
	left := 249
	for range 2 + m.n(3) {
		t, how := k.Type, twin.Hidden[twin.Key{Vendor: k.Vendor, Type: k.Type}]
		if m.one(2) {
			t, how = 1+m.n(20), twin.Hidden[twin.Key{Vendor: k.Vendor, Type: t}]
		}
		if left < 30 {
			break
		}
		v := m.value(how, left-25)
		i := inner(k.Vendor, t, v[:min(len(v), left-4)], 0)
		list, left = append(list, i), left-len(i)
	}
	return vsa(k.Vendor, list...)
}

// wimax returns a value in fragments.
func (m *maker) wimax() []twin.Attr {
	t := pick(m.gen, 5, 10, 86, 1)
	k := twin.Key{Vendor: 24757, Type: t}
	if t == 86 {
		k.Sub = 3
	}
	v := m.value(twin.Hidden[k], 500)
	if k.Sub != 0 {
		v = append([]byte{k.Sub, byte(2 + len(v))}, v...)
	}
	var list []twin.Attr
	for len(v) > 0 || len(list) == 0 {
		n := min(len(v), pick(m.gen, 246, 0, 1, 2, 17, 100))
		if n == 0 && len(list) > 3 {
			n = min(len(v), 246)
		}
		more := byte(0x80)
		if n == len(v) {
			more = 0
		}
		list = append(list, vsa(24757, inner(24757, t, v[:n], more|byte(m.n(2)))))
		v = v[n:]
		if m.one(8) {
			list = append(list, attr(33, 1), attr(200, 2))[:len(list)+1+m.n(2)]
		}
	}
	return list
}

// tlvs returns a row of them, of which 2 and 3 are hidden in some vendors' attributes.
func (m *maker) tlvs() (row []byte) {
	for range m.n(4) {
		t := byte(1 + m.n(4))
		v := m.value(twin.Hidden[twin.Key{Vendor: 41112, Type: 5, Sub: t}], 60)
		row = append(append(row, t, byte(2+len(v))), v...)
	}
	if m.one(8) {
		row = append(row, 3, 40)
	}
	return row
}

// unfit returns a Vendor-Specific whose inner lengths do not fit.
func (m *maker) unfit() twin.Attr {
	k := hiddenKeys[m.n(len(hiddenKeys))]
	a := m.hidden(k)
	if k.Vendor == 0 {
		a = m.hidden(twin.Key{Vendor: 311, Type: 17})
	}
	switch v := a.V; m.n(4) {
	case 0:
		a.V = v[:len(v)-min(len(v), 1+m.n(4))]
	case 1:
		a.V = append(slices.Clone(v[:min(len(v), 250)]), 1)
	case 2:
		a.V = v[:4]
	default:
		a.V = slices.Clone(v)
		a.V[5] = m.next()
	}
	return a
}

// cisco returns attributes of Cisco's that are treated in ways of their own.
func (m *maker) cisco() twin.Attr {
	switch m.n(4) {
	case 0:
		return vsa(9, inner(9, pick(m.gen, 17, 18), m.octets(m.length(40)), 0))
	case 1:
		return vsa(9, inner(9, 17, m.octets(m.n(30)), 0), inner(9, 2, m.octets(m.n(30)), 0), inner(9, 18, m.octets(m.n(30)), 0))
	case 2:
		return vsa(9, inner(9, 1, append([]byte("leap:session-key="), m.value(twin.Salted, 64)...), 0))
	}
	return vsa(9, inner(9, 1, append([]byte(pick(m.gen, "leap:session-key", "LEAP:session-key=", "shell:priv-lvl=15")), m.octets(m.n(40))...), 0))
}

func (m *maker) eap() (list []twin.Attr) {
	for range 1 + m.n(3) {
		list = append(list, attr(79, m.octets(m.length(253))...))
	}
	return list
}

// extended returns attributes of RFC 6929, in fragments too.
func (m *maker) extended() []twin.Attr {
	t := byte(241 + m.n(6))
	ext := byte(1 + m.n(8))
	switch {
	case m.one(6):
		return []twin.Attr{attr(t, m.octets(m.n(3))...)}
	case t >= 245 && m.one(2):
		return []twin.Attr{attr(t, append([]byte{ext, 0x80}, m.octets(251)...)...), attr(t, append([]byte{ext, 0}, m.octets(m.n(252))...)...)}
	case t >= 245:
		return []twin.Attr{attr(t, append([]byte{ext, byte(m.n(128))}, m.octets(m.n(252))...)...)}
	}
	return []twin.Attr{attr(t, append([]byte{ext}, m.octets(pick(m.gen, 4, 4, 0, 1, 252))...)...)}
}
