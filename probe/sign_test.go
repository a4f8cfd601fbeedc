package probe

import (
	"errors"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

// VerifyMessageAuthenticator with one that is valid, wrong, absent, short, and there twice.
func TestVerifyMessageAuthenticator(t *testing.T) {
	secret := []byte("radsec")
	packet := func(attributes ...radius.Attribute) []byte {
		p := radius.New(radius.CodeStatusServer, secret)
		for _, a := range attributes {
			p.Add(rfc2869.MessageAuthenticator_Type, a)
		}
		b, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p := radius.New(radius.CodeStatusServer, secret)
	AddMessageAuthenticator(p)
	good := mustSign(t, p)
	altered := append([]byte(nil), good...)
	altered[len(altered)-1]++
	sixteen := make(radius.Attribute, 16)
	for _, c := range []struct {
		name   string
		packet []byte
		want   error
	}{
		{"signed", good, nil},
		{"altered", altered, errWrong},
		{"absent", packet(), errAbsent},
		{"of 15 octets", packet(sixteen[:15]), errNotOnce},
		{"twice", packet(sixteen, sixteen), errNotOnce},
		{"an attribute of no length", append(packet(), 1, 0), errForm},
		{"an attribute past the end", append(packet(), 1, 3), errForm},
	} {
		if err := VerifyMessageAuthenticator(c.packet, secret, [16]byte(c.packet[4:20])); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := VerifyMessageAuthenticator(good, []byte("another"), [16]byte(good[4:20])); !errors.Is(err, errWrong) {
		t.Errorf("another secret: %v, want %v", err, errWrong)
	}
}
