package hello_test

import (
	"crypto/tls"
	"encoding/binary"
	"slices"
	"testing"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/dtlsfront/record"
)

// offering returns the datagram of a ClientHello with cipher suites and extensions.
func offering(suites []uint16, extensions []byte) []byte {
	vector := func(size int, b []byte) []byte {
		n := make([]byte, 4)
		binary.BigEndian.PutUint32(n, uint32(len(b)))
		return append(n[4-size:], b...)
	}
	var list []byte
	for _, s := range suites {
		list = binary.BigEndian.AppendUint16(list, s)
	}
	body := append([]byte{0xfe, 0xfd}, make([]byte, 32)...)
	body = append(body, 0, 0) // session, cookie
	body = append(body, vector(2, list)...)
	body = append(body, 1, 0) // compression
	body = append(body, vector(2, extensions)...)
	size := byte(len(body))
	message := append([]byte{1, 0, 0, size, 0, 0, 0, 0, 0, 0, 0, size}, body...)
	return record.AppendPlain(nil, record.Handshake, 0, message)
}

// The name, cipher suites, groups, point formats and signature algorithms that a ClientHello offers
// are read; what is unknown or cut short is as if it were missing.
// Rules: TR6
func TestOffer(t *testing.T) {
	extensions := []byte{
		0, 23, 0, 0, // extended master secret
		0, 0, 0, 10, 0, 8, 0, 0, 5, 'a', '.', 'o', 'r', 'g', // server name
		0, 10, 0, 4, 0, 2, 0, 29, // groups: x25519
		0, 11, 0, 2, 1, 0, // point formats
		0, 13, 0, 4, 0, 2, 4, 3, // ecdsa_secp256r1_sha256
	}
	read := func(extensions []byte) *tls.ClientHelloInfo {
		t.Helper()
		h, ok := hello.Parse(offering([]uint16{0xc02b, 0xc02f}, extensions))
		if !ok {
			t.Fatal("the ClientHello is not read")
		}
		return h.Offer()
	}
	o := read(extensions)
	if o.ServerName != "a.org" || !slices.Equal(o.CipherSuites, []uint16{0xc02b, 0xc02f}) || !slices.Equal(o.SupportedCurves, []tls.CurveID{tls.X25519}) ||
		!slices.Equal(o.SupportedPoints, []uint8{0}) || !slices.Equal(o.SignatureSchemes, []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}) {
		t.Errorf("the offer is read as %+v", o)
	}
	for n := range extensions {
		if o := read(extensions[:n]); len(o.CipherSuites) != 2 || n < 18 && o.ServerName != "" {
			t.Errorf("of %d octets of extensions the offer is read as %+v", n, o)
		}
	}
	if o := read([]byte{0, 0, 0, 7, 0, 5, 1, 0, 2, 'x', 'y'}); o.ServerName != "" {
		t.Errorf("a name of another type is read as %q", o.ServerName)
	}
}
