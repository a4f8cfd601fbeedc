//go:build !amd64

package lanes

// variants lists the ways to hash that this processor has, the best first.
func variants() []variant { return []variant{scalar} }

// blocks is not called where scalar is the only variant.
func (variant) blocks(bool, *states, *byte, *[maxLanes]uint64, int) {
	panic("lanes: no block function for this processor")
}
