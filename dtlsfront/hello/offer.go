package hello

import (
	"crypto/tls"
	"encoding/binary"
)

// Extensions of a ClientHello (IANA, TLS ExtensionType Values).
const (
	extensionServerName   = 0
	extensionGroups       = 10
	extensionPointFormats = 11
	extensionSignatures   = 13
)

// Offer returns what the ClientHello offers, as crypto/tls would have it of DTLS 1.2's cousin
// TLS 1.2. Extensions that are malformed, or unknown, are as if they were missing: the
// handshake itself will find out.
func (h *Hello) Offer() *tls.ClientHelloInfo {
	o := &tls.ClientHelloInfo{SupportedVersions: []uint16{tls.VersionTLS12}}
	body := reader{h.after, true}
	o.CipherSuites = numbers[uint16](body.vector(2))
	body.vector(1) // compression
	extensions := reader{body.vector(2), true}
	for len(extensions.rest) > 0 && extensions.ok {
		kind := binary.BigEndian.Uint16(extensions.next(2))
		data := reader{extensions.vector(2), true}
		if !extensions.ok {
			break
		}
		switch kind {
		case extensionServerName:
			o.ServerName = serverName(data.vector(2))
		case extensionGroups:
			o.SupportedCurves = numbers[tls.CurveID](data.vector(2))
		case extensionPointFormats:
			o.SupportedPoints = data.vector(1)
		case extensionSignatures:
			o.SignatureSchemes = numbers[tls.SignatureScheme](data.vector(2))
		}
	}
	return o
}

// serverName returns the first host name of a list (RFC 6066 §3).
func serverName(list []byte) string {
	r := reader{list, true}
	for len(r.rest) > 0 && r.ok {
		kind := r.next(1)[0]
		if name := r.vector(2); kind == 0 && r.ok {
			return string(name)
		}
	}
	return ""
}

// numbers returns the numbers of two octets that b has.
func numbers[T ~uint16](b []byte) (list []T) {
	for ; len(b) >= 2; b = b[2:] {
		list = append(list, T(binary.BigEndian.Uint16(b)))
	}
	return list
}
