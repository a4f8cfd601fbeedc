package packets

import (
	"crypto/hmac"
	"crypto/md5"
	"errors"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
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

// No connection gets a request twice, however far behind or ahead it is; all verify.
func TestShared(t *testing.T) {
	mix, err := ParseMix("mixed")
	if err != nil {
		t.Fatal(err)
	}
	s := NewShared(mix)
	all := map[[16]byte]bool{}
	sent := 0
	kinds := map[Kind]int{}
	for connection, steps := range []int{100 * 256, 30 * 256, 3 * 256} {
		m := NewMaker(secret)
		buf := make([]byte, MaxLength)
		var last [256]uint32
		seen := map[[16]byte]bool{}
		for i := range steps {
			p, k := s.Write(buf, m, byte(i), &last[byte(i)])
			ra := [16]byte(p[4:20])
			if seen[ra] {
				t.Fatalf("connection %d is given a request twice, after %d", connection, i)
			}
			seen[ra], all[ra] = true, true
			sent++
			kinds[k]++
			if p[1] != byte(i) || i%97 == 0 && !radius.IsAuthenticRequest(p, secret) {
				t.Fatalf("connection %d: request %d has identifier %d, or is not authentic", connection, i, p[1])
			}
		}
	}
	if len(all) == sent {
		t.Errorf("%d requests were signed %d times: nothing was shared", sent, len(all))
	}
	if kinds[EAP] != sent/2 || kinds[PAP] != sent/4 || kinds[Acct] != sent/4 {
		t.Errorf("of %d requests, %d are EAP, %d PAP, %d accounting; want a half and quarters", sent, kinds[EAP], kinds[PAP], kinds[Acct])
	}
}

func TestRequestContents(t *testing.T) {
	m := NewMaker(secret)
	buf := make([]byte, MaxLength)
	p, _ := radius.Parse(m.Write(buf, PAP, 1), secret)
	if got := rfc2865.UserPassword_GetString(p); got != Password {
		t.Errorf("the hidden password reads %q, want %q", got, Password)
	}
	p, _ = radius.Parse(m.Write(buf, EAP, 1), secret)
	messages := 0
	for _, a := range p.Attributes {
		if a.Type == rfc2869.EAPMessage_Type {
			messages++
			if len(a.Attribute) != 253 {
				t.Errorf("an EAP-Message has %d octets, want 253", len(a.Attribute))
			}
		}
	}
	if messages != 4 || rfc2865.State_Get(p) == nil {
		t.Errorf("%d EAP-Message attributes and State %x, want 4 and one", messages, rfc2865.State_Get(p))
	}
	p, _ = radius.Parse(m.Write(buf, Acct, 1), secret)
	if len(p.Attributes) < 12 || rfc2866.AcctSessionID_GetString(p) == "" {
		t.Errorf("accounting has %d attributes, want at least 12 with Acct-Session-Id", len(p.Attributes))
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
