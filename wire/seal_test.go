package wire

import (
	"bytes"
	"testing"

	"layeh.com/radius"
)

// A Tunnel-Password that a rule writes into a reply or a request is readable for the
// other side, which knows only its own secret.
//
// Rules: AR8
func TestSeal(t *testing.T) {
	client, server := clientSecret(t, "client"), serverSecret(t, "server")
	d := NewDigests()
	sent := [16]byte{7: 9}
	for _, code := range []radius.Code{radius.CodeAccessAccept, radius.CodeCoARequest, radius.CodeAccessRequest} {
		req := parsed(t, append([]byte{byte(radius.CodeAccessRequest), 5, 0, 20}, "request's authen."[:16]...))
		seal := d.SealReply(&sent, server)
		if IsRequest(code) {
			req.Packet[0] = byte(code)
			seal = d.SealRequest(req, client)
		}
		value, err := seal.Seal(make([]byte, 0, 253), []byte("\x01secret"), 0, 69, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := append([]byte{byte(code), 5, 0, byte(22 + len(value))}, req.Packet[4:20]...)
		v := parsed(t, append(append(b, 69, byte(2+len(value))), value...))
		dst := make([]byte, MaxLength)
		n, end := 0, hop{client.key, req.Authenticator()}
		if IsRequest(code) {
			n, err = d.WriteRequest(dst, v, client, server, 1)
			if end = (hop{server.key, &d.zero}); code == radius.CodeAccessRequest {
				end.vector = (*[16]byte)(dst[4:20])
			}
		} else {
			n, err = d.WriteReply(dst, v, req, &sent, server, client)
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Run()
		got, err := d.reveal(make([]byte, 0, 253), parsed(t, dst[:n]).Get(69), methodSalted|ruleTagged, &transfer{from: end})
		if err != nil || !bytes.Equal(got, []byte("\x01secret")) {
			t.Errorf("%v: expected the tag and the password on the other side, got %q, %v", code, got, err)
		}
	}
}

// In RADIUS/1.1 the value stays in clear, and the view is of that version.
//
// Rules: AR8
func TestSeal11(t *testing.T) {
	var v, like View
	b := append([]byte{1, 0, 0, 20}, make([]byte, 16)...)
	if err := like.Parse11(b); err != nil {
		t.Fatal(err)
	}
	if err := v.ParseLike(b, &like); err != nil || !v.Is11() {
		t.Errorf("expected a view of RADIUS/1.1, got %v", err)
	}
	seal := NewDigests().SealRequest(&v, radSecSecret())
	if got, err := seal.Seal(make([]byte, 0, 9), []byte("\x00x"), 0, 69, 0); err != nil || string(got) != "\x00x" {
		t.Errorf("expected the value in clear, got %q, %v", got, err)
	}
}
