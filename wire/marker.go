package wire

// RequestOptions is what the gateway itself adds to the server's copy of a request.
// The zero value adds nothing.
type RequestOptions struct {
	// ProxyState is the value of a Proxy-State of the gateway's own, after all other
	// attributes (RFC 2865 §2.3, §5.33); 1 to 253 octets, none when empty. It is
	// omitted when it would make the request longer than 4096 octets: no request fails
	// because of it.
	ProxyState []byte
	// NAS is set when the server is the NAS: the last hop of a CoA or Disconnect (RFC
	// 8559 §4.2).
	NAS *NAS
}

// NextProxyState returns the value of the next Proxy-State that begins with prefix,
// inside Packet, and the value of after for the next call; nil when there are no more. The
// first call has after = 0. For a packet without Proxy-State it costs nothing.
func (v *View) NextProxyState(prefix string, after int) (value []byte, next int) {
	for off := max(after, int(v.first[slotProxyState])); off != 0 && off < len(v.Packet); off = next {
		next = off + int(v.Packet[off+1])
		if value = v.Packet[off+2 : next : next]; v.Packet[off] == typeProxyState && len(value) >= len(prefix) && string(value[:len(prefix)]) == prefix {
			return
		}
	}
	value = nil
	return
}

// appendMarker adds the gateway's own Proxy-State, if there is one and it fits.
func (c *cipher) appendMarker(dst []byte, n int, value []byte) int {
	if len(value) == 0 {
		return n
	}
	if end, err := appendAttribute(dst, n, typeProxyState, value); err == nil {
		return end
	}
	c.omitted.add(OmittedMarker, typeProxyState)
	return n
}
