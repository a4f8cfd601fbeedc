package twin

import "bytes"

// Marker returns the value of the Proxy-State that the gateway named own, 8 octets, adds to
// a request, without its last four octets, which name the server. After a text it has 12
// octets for each gateway that the request has passed: 8 that name it, and 4 that name its
// server. looped reports that own is among them, or that more gateways do not fit (P33).
func Marker(req, own []byte) (value []byte, looped bool) {
	const text, most = "radsecgw", (253 - len("radsecgw")) / 12
	value = []byte(text)
	list, _ := Parse(req)
	for _, state := range Values(list, proxyState) {
		way, ok := bytes.CutPrefix(state, []byte(text))
		if !ok || len(way)%12 != 0 {
			continue
		}
		for ; len(way) > 0; way = way[12:] {
			looped = looped || bytes.Equal(way[:8], own)
			value = append(value, way[:12]...)
		}
	}
	looped = looped || len(value) >= len(text)+12*most
	return append(value, own...), looped
}
