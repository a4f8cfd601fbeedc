package rules

import (
	"bytes"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"

	"radsec-gw/wire"
)

// The twin applies one step to a list of attributes, slowly and plainly, with package
// regexp. Nothing of this package's parsing is in it. Values that are encrypted it leaves
// in clear, with the length that they have when encrypted and a salt of zeros.

// named is an attribute for the twin: what text means.
type named struct {
	text           string
	typ            byte
	vendor         uint32
	number, sub    int // 0: all numbers; no sub
	wide, more     bool
	tagged, hasTag bool
	tag            byte
	salted         bool
	onlyRemoved    bool // by remove and keep
}

// twinNames are the attributes that FuzzApply and FuzzChain name.
var twinNames = []named{
	{text: "User-Name", typ: 1},
	{text: "Reply-Message", typ: 18},
	{text: "Cisco-AVPair", typ: 26, vendor: 9, number: 1},
	{text: "9:7", typ: 26, vendor: 9, number: 7},
	{text: "9:*", typ: 26, vendor: 9, onlyRemoved: true},
	{text: "311:*", typ: 26, vendor: 311, onlyRemoved: true},
	{text: "Vendor-Specific", typ: 26, onlyRemoved: true},
	{text: "241.8", typ: 241, sub: 8},
	{text: "245.1", typ: 245, sub: 1, onlyRemoved: true},
	{text: "Tunnel-Private-Group-Id", typ: 81, tagged: true},
	{text: "Tunnel-Private-Group-Id:1", typ: 81, tagged: true, hasTag: true, tag: 1},
	{text: "4846:300", typ: 26, vendor: 4846, number: 300, wide: true},
	{text: "24757:1", typ: 26, vendor: 24757, number: 1, more: true},
	{text: "24757:1.2", typ: 26, vendor: 24757, number: 1, sub: 2, more: true},
	{text: "Tunnel-Password", typ: 69, tagged: true, salted: true},
	{text: "Tunnel-Password:3", typ: 69, tagged: true, salted: true, hasTag: true, tag: 3},
	{text: "2356:19", typ: 26, vendor: 2356, number: 19, tagged: true, salted: true},
}

// node is an attribute; children are those of a Vendor-Specific or the TLVs, nil when the
// value is not a row of them.
type node struct {
	head     []byte // type and length, and what else precedes value or children
	value    []byte
	number   int
	vendor   uint32
	children []*node
	part     bool // of a value of WiMAX
}

// row cuts b into attributes with headers of n octets; nil when they do not fill it.
func row(b []byte, wide, more bool) (list []*node) {
	n, continued := 2, false
	if wide || more {
		n = 3
	}
	for len(b) > 0 {
		if len(b) < n {
			return nil
		}
		size, number := int(b[1]), int(b[0])
		if wide {
			size, number = int(b[2]), int(binary.BigEndian.Uint16(b))
		}
		if size < n || size > len(b) {
			return nil
		}
		list = append(list, &node{head: bytes.Clone(b[:n]), value: bytes.Clone(b[n:size]), number: number, part: continued})
		b = b[size:]
	}
	return list
}

// tree reads a packet.
func tree(p []byte) (list []*node) {
	continued := map[int]bool{}
	for _, a := range row(p[20:], false, false) {
		list = append(list, a)
		if a.number != 26 || len(a.value) < 4 {
			continue
		}
		a.vendor = binary.BigEndian.Uint32(a.value)
		a.head, a.children = append(a.head, a.value[:4]...), row(a.value[4:], a.vendor == 4846, a.vendor == 24757)
		if a.value = a.value[4:]; a.vendor != 24757 {
			continue
		}
		for _, c := range a.children {
			more := c.head[2]&0x80 != 0
			c.part = continued[c.number] || more
			continued[c.number] = more
			if !c.part && c.number == 1 {
				c.children = row(c.value, false, false)
			}
		}
	}
	return list
}

// octets writes a node with its length.
func (n *node) octets(wide bool) []byte {
	b := bytes.Clone(n.head)
	if n.children == nil {
		b = append(b, n.value...)
	}
	for _, c := range n.children {
		b = append(b, c.octets(n.vendor == 4846)...)
	}
	b[1] = byte(len(b))
	if wide {
		b[1], b[2] = n.head[1], byte(len(b))
	}
	return b
}

// safe reports whether nothing may remove this attribute.
func (n *node) safe() bool {
	return slices.Contains([]int{3, 24, 25, 33, 60, 70, 79, 80}, n.number) || n.number == 241 && len(n.value) > 0 && (n.value[0] == 3 || n.value[0] == 4)
}

var safeMicrosoft = []int{1, 2, 3, 4, 5, 6, 10, 11, 19, 20, 25, 26, 27}

func (a *named) tagOf(value []byte) bool { return !a.hasTag || len(value) > 0 && value[0] == a.tag }

// plain reports whether a is this attribute, which is not a vendor's.
func (a *named) plain(n *node) bool {
	return int(a.typ) == n.number && a.typ != 26 && a.tagOf(n.value) && (a.typ < 241 || len(n.value) > 0 && int(n.value[0]) == a.sub)
}

// kept removes all but what names has.
func kept(list []*node, names []*named) []*node {
	any := func(f func(a *named) bool) bool { return slices.ContainsFunc(names, f) }
	return slices.DeleteFunc(list, func(n *node) bool {
		all := any(func(a *named) bool { return a.typ == 26 && a.number == 0 && (a.vendor == 0 || a.vendor == n.vendor) })
		switch {
		case n.number != 26:
			return !n.safe() && !any(func(a *named) bool { return a.plain(n) })
		case len(n.children) == 0:
			return !all
		}
		n.children = slices.DeleteFunc(n.children, func(c *node) bool {
			return !all && !(n.vendor == 311 && slices.Contains(safeMicrosoft, c.number)) &&
				!any(func(a *named) bool { return a.vendor != 0 && a.vendor == n.vendor && a.number == c.number })
		})
		return len(n.children) == 0
	})
}

// removed removes what a names.
func removed(list []*node, a *named) []*node {
	return slices.DeleteFunc(list, func(n *node) bool {
		all := a.typ == 26 && a.number == 0 && (a.vendor == 0 || a.vendor == n.vendor)
		switch {
		case n.number != 26:
			return !n.safe() && (a.plain(n) || a.vendor != 0 && n.extendedOf(a))
		case n.vendor == 0 || n.vendor > 0xffffff:
			return true
		case len(n.children) == 0:
			return all || n.vendor == a.vendor
		}
		n.children = slices.DeleteFunc(n.children, func(c *node) bool {
			if n.vendor == 311 && slices.Contains(safeMicrosoft, c.number) {
				return false
			}
			match := all || a.vendor != 0 && a.vendor == n.vendor && a.number == c.number
			if a.vendor == 24757 && a.sub != 0 && match {
				c.children = slices.DeleteFunc(c.children, func(t *node) bool { return t.number == a.sub })
				return len(c.children) == 0
			}
			return match
		})
		return len(n.children) == 0
	})
}

// extendedOf reports whether a server may find the vendor's attribute a in this one, which
// is not a Vendor-Specific.
func (n *node) extendedOf(a *named) bool {
	if n.number < 241 || n.number > 246 || len(n.value) == 0 || n.value[0] != 26 {
		return false
	}
	return n.number >= 245 || len(n.value) >= 6 && binary.BigEndian.Uint32(n.value[1:]) == a.vendor && (a.number == 0 || int(n.value[5]) == a.number)
}

// values calls f for each value of a, with what precedes it inside the value field, and
// the sizes around it; f returns the new value.
func values(list []*node, a *named, f func(old []byte, most int) ([]byte, error)) error {
	change := func(n *node, around int) (err error) {
		cut := 0
		if a.typ >= 241 {
			cut = 1
		}
		if a.tagged && len(n.value) > 0 && n.value[0] <= 0x1f {
			cut = 1
		}
		made, err := f(n.value[cut:], 255-(around-len(n.value)+cut))
		n.value, n.children = append(n.value[:cut:cut], made...), nil
		return err
	}
	for _, n := range list {
		if n.number != 26 && a.plain(n) {
			if err := change(n, len(n.octets(false))); err != nil {
				return err
			}
		}
		if n.number != 26 || a.vendor == 0 || n.vendor != a.vendor {
			continue
		}
		for _, c := range n.children {
			targets := []*node{c}
			if a.sub != 0 {
				targets = c.children
			}
			for _, t := range targets {
				if c.number != a.number || c.part || a.sub != 0 && t.number != a.sub {
					continue
				}
				if err := change(t, len(n.octets(false))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var errTwin = errors.New("a value of the wrong length")

// replaced replaces the first match in each value.
func replaced(list []*node, a *named, re *regexp.Regexp, with string) error {
	return values(list, a, func(old []byte, most int) ([]byte, error) {
		at := re.FindSubmatchIndex(old)
		if at == nil || a.vendor == 9 && a.number == 1 && len(old) >= 17 && bytes.EqualFold(old[:17], []byte("leap:session-key=")) {
			return old, nil
		}
		made := re.Expand(bytes.Clone(old[:at[0]]), []byte(with), old, at)
		made = append(made, old[at[1]:]...)
		if len(made) == 0 || len(made) > most {
			return nil, errTwin
		}
		return made, nil
	})
}

// written returns a new attribute with this value; encrypted says whether it will be, if
// it is one that is.
func (a *named) written(value string, encrypted bool) (*node, error) {
	b := []byte(value)
	if a.salted && len(value) > 239 { // 15 blocks, whether it is encrypted here or later
		return nil, errTwin
	}
	if a.salted && encrypted { // RFC 2868 §3.5: salt, and blocks that begin with the length
		b = slices.Concat([]byte{0, 0, byte(len(b))}, b, make([]byte, 15-len(b)%16))
	}
	if a.hasTag || a.salted {
		b = append([]byte{a.tag}, b...)
	}
	n := &node{head: []byte{a.typ, 0}, value: b, number: int(a.typ)}
	if a.typ == 241 {
		n.value = append([]byte{byte(a.sub)}, b...)
	}
	if a.vendor != 0 {
		if a.sub != 0 {
			b = append([]byte{byte(a.sub), byte(2 + len(b))}, b...)
		}
		inside := &node{head: []byte{byte(a.number), 0}, value: b, number: a.number}
		if a.wide {
			inside.head = append(binary.BigEndian.AppendUint16(nil, uint16(a.number)), 0)
		} else if a.more {
			inside.head = append(inside.head, 0)
		}
		n = &node{head: binary.BigEndian.AppendUint32([]byte{26, 0}, a.vendor), vendor: a.vendor, number: 26, children: []*node{inside}}
	}
	if len(value) == 0 || len(n.octets(false)) > 255 {
		return nil, errTwin
	}
	return n, nil
}

// instances returns the values of a, without their tags.
func instances(list []*node, a *named) (all [][]byte) {
	for _, n := range list {
		if a.typ != 26 && a.plain(n) {
			cut := 0
			if a.typ >= 241 || a.tagged && len(n.value) > 0 && n.value[0] <= 0x1f {
				cut = 1
			}
			all = append(all, n.value[cut:])
		}
		for _, c := range n.children {
			if a.vendor == 0 || n.vendor != a.vendor || c.number != a.number {
				continue
			}
			if a.sub == 0 {
				all = append(all, c.octets(false)[len(c.head):])
			}
			for _, tlv := range c.children {
				if a.sub != 0 && tlv.number == a.sub {
					all = append(all, tlv.value)
				}
			}
		}
	}
	return all
}

// packed writes the packet.
func packed(header []byte, list []*node) ([]byte, error) {
	b := bytes.Clone(header[:20])
	for _, n := range list {
		b = append(b, n.octets(false)...)
	}
	if len(b) > wire.MaxLength {
		return nil, wire.ErrTooLong
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b, nil
}
