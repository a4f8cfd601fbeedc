package packets

import (
	"crypto/hmac"
	"crypto/md5"
	"errors"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

var secret = []byte("radsec")

// layehMAC computes a Message-Authenticator the slow way over p with the
// authenticator ra.
func layehMAC(t *testing.T, p *radius.Packet, ra [16]byte) []byte {
	t.Helper()
	q := &radius.Packet{Code: p.Code, Identifier: p.Identifier, Authenticator: ra, Secret: p.Secret, Attributes: p.Attributes}
	if err := rfc2869.MessageAuthenticator_Set(q, make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	b, err := q.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(md5.New, p.Secret)
	mac.Write(b)
	return mac.Sum(nil)
}

// Rules: P18
// RFC 2865 §3, RFC 2866 §3, RFC 3579 §3.2: another library accepts every request.
func TestRequestsVerify(t *testing.T) {
	m := NewMaker(secret)
	buf := make([]byte, MaxLength)
	for _, k := range []Kind{EAP, PAP, Acct} {
		seen := map[string]bool{}
		for id := range 300 {
			b := m.Write(buf, k, byte(id))
			if seen[string(b[1:])] || seen[string(b[4:20])] {
				t.Fatalf("kind %d: the same request was made twice", k)
			}
			seen[string(b[1:])], seen[string(b[4:20])] = true, true
			p, err := radius.Parse(b, secret)
			if err != nil {
				t.Fatalf("kind %d: layeh.com/radius cannot read it: %v", k, err)
			}
			if p.Identifier != byte(id) || rfc2865.UserName_GetString(p) != UserName {
				t.Errorf("kind %d: identifier %d user %q", k, p.Identifier, rfc2865.UserName_GetString(p))
			}
			if !radius.IsAuthenticRequest(b, secret) {
				t.Errorf("kind %d: layeh.com/radius says the request is not authentic", k)
			}
			if k == Acct {
				continue
			}
			want := rfc2869.MessageAuthenticator_Get(p)
			if got := layehMAC(t, p, p.Authenticator); !hmac.Equal(got, want) {
				t.Errorf("kind %d: Message-Authenticator is %x, want %x", k, want, got)
			}
		}
	}
}

// Rules: P18
func TestVerify(t *testing.T) {
	m := NewMaker(secret)
	buf := make([]byte, MaxLength)
	reply := func(k Kind, code radius.Code, signed bool) ([]byte, [16]byte) {
		request, err := radius.Parse(m.Write(buf, k, 9), secret)
		if err != nil {
			t.Fatal(err)
		}
		r := request.Response(code)
		if err := rfc2865.ReplyMessage_SetString(r, "welcome"); err != nil {
			t.Fatal(err)
		}
		if signed {
			if err := rfc2869.MessageAuthenticator_Set(r, layehMAC(t, r, request.Authenticator)); err != nil {
				t.Fatal(err)
			}
		}
		b, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return b, request.Authenticator
	}
	good, ra := reply(PAP, radius.CodeAccessAccept, true)
	if err := m.Verify(good, PAP, &ra); err != nil {
		t.Errorf("a right reply: %v", err)
	}
	unsigned, raU := reply(PAP, radius.CodeAccessAccept, false)
	if err := m.Verify(unsigned, PAP, &raU); !errors.Is(err, ErrNoSignature) {
		t.Errorf("an unsigned Access-Accept: %v, want %v", err, ErrNoSignature)
	}
	acct, raA := reply(Acct, radius.CodeAccountingResponse, false)
	if err := m.Verify(acct, Acct, &raA); err != nil {
		t.Errorf("an Accounting-Response: %v", err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if m.Verify(bad, PAP, &ra) == nil {
			t.Errorf("a reply with octet %d changed verifies", i)
		}
	}
	if !Answers(EAP, 11) || Answers(PAP, 11) || Answers(PAP, 3) || Answers(Acct, 2) || !Answers(Acct, 5) {
		t.Error("Answers does not distinguish positive answers from others")
	}
}

func BenchmarkWrite(b *testing.B) {
	m := NewMaker(secret)
	buf := make([]byte, MaxLength)
	for name, k := range map[string]Kind{"eap": EAP, "pap": PAP, "acct": Acct} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				m.Write(buf, k, 1)
			}
		})
	}
}
