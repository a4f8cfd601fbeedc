package twin

import (
	"bytes"
	"encoding/binary"
)

// WiMAX is the vendor whose values may continue in another attribute of the same type,
// wherever that is in the packet.
const WiMAX = 24757

// chain is one value that is split over several attributes.
type chain struct {
	value []byte
	whole bool  // its last part is present, and all of them can be read
	read  bool  // p is set
	p     piece // the value for the other side
}

// link is a part of a chain: value[from:to].
type link struct {
	of       *chain
	from, to int
}

// link finds the parts of all secret values that are split over several attributes.
func (c *transfer) link(list []Attr) {
	c.links = map[[2]int]*link{}
	for at, a := range list {
		inside, fits := wimax(a)
		for k, i := range inside {
			if fits && i.more && c.secret(WiMAX, i) && c.links[[2]int{at, k}] == nil {
				c.chain(list, at, k, i.number)
			}
		}
	}
}

// wimax returns the inside of a Vendor-Specific of WiMAX's.
func wimax(a Attr) (inside []inner, fits bool) {
	if a.T != vendor || len(a.V) < 4 || binary.BigEndian.Uint32(a.V) != WiMAX {
		return nil, false
	}
	return split(layout11c, a.V[4:])
}

// chain follows the value that begins with the k-th attribute inside the at-th.
func (c *transfer) chain(list []Attr, at, k, number int) {
	one := &chain{whole: true}
	for n := at; n < len(list); n++ {
		inside, fits := wimax(list[n])
		for j, i := range inside {
			if n == at && j < k || i.number != number {
				continue
			}
			from := len(one.value)
			if fits {
				one.value = append(bytes.Clone(one.value), i.value...)
				c.links[[2]int{n, j}] = &link{one, from, len(one.value)}
			}
			one.whole = one.whole && fits
			if !i.more {
				return
			}
		}
	}
	one.whole = false
}
