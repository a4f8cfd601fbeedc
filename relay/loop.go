package relay

import (
	"encoding/binary"
	"strconv"

	"radsec-gw/wire"
)

// looped reports whether the request has passed this gateway or one of its replicas before, or
// too many other gateways. server is the name of the server that it was sent to there, or "" if
// it has only passed too many others.
func (m *Marker) looped(v *wire.View) (server string, ok bool) {
	if m == nil || !v.HasProxyState() {
		return "", false
	}
	passed := 0
	for entries := range markersOf(v) {
		for ; len(entries) > 0; entries = entries[markerEntry:] {
			if passed++; [markerSelf]byte(entries) == m.own || m.replicas.has([markerSelf]byte(entries)) {
				return m.nameOf(binary.BigEndian.Uint32(entries[markerSelf:])), true
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
	// A replica has it, or this gateway had it before a reload.
	return "one that this gateway does not have, number " + strconv.FormatUint(uint64(id), 16)
}

// markersOf ranges over the markers of a request, and yields the entries of each. A
// Proxy-State that does not have the form of a marker is another proxy's and is ignored
// (RFC 2865 §5.33).
func markersOf(v *wire.View) func(yield func(entries []byte) bool) {
	return func(yield func(entries []byte) bool) {
		for value, next := v.NextProxyState(markerPrefix, 0); value != nil; value, next = v.NextProxyState(markerPrefix, next) {
			if entries := value[len(markerPrefix):]; len(entries)%markerEntry == 0 && !yield(entries) {
				return
			}
		}
	}
}
