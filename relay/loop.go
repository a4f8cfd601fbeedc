package relay

import (
	"encoding/binary"
	"strconv"

	"radsec-gw/wire"
)

// looped reports whether the request has been at this gateway before. server is then
// the name of the server that it was sent to; "" when it has passed more gateways than
// a request may, none of them this one.
func (m *Marker) looped(v *wire.View) (server string, ok bool) {
	if m == nil || !v.HasProxyState() {
		return "", false
	}
	passed := 0
	for way := range waysOf(v) {
		for ; len(way) > 0; way = way[markerEntry:] {
			if passed++; [markerSelf]byte(way) == m.own {
				return m.nameOf(binary.BigEndian.Uint32(way[markerSelf:])), true
			}
		}
	}
	return "", passed >= markerMax
}

// nameOf returns the name of the server with a number.
func (m *Marker) nameOf(id uint32) string {
	if name, ok := m.servers[id]; ok {
		return name
	}
	return "one that this gateway does not have, number " + strconv.FormatUint(uint64(id), 16) // a replica has it, or the file had
}

// waysOf ranges over the entries in each marker of a request, whole ones. A Proxy-State
// that does not have the form of a marker is somebody else's and ignored (RFC 2865 §5.33).
func waysOf(v *wire.View) func(yield func(way []byte) bool) {
	return func(yield func(way []byte) bool) {
		for value, next := v.NextProxyState(markerPrefix, 0); value != nil; value, next = v.NextProxyState(markerPrefix, next) {
			if way := value[len(markerPrefix):]; len(way)%markerEntry == 0 && !yield(way) {
				return
			}
		}
	}
}
