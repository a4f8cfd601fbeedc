package wire

import (
	"bytes"
	"testing"

	"layeh.com/radius"
)

// Where a Message-Authenticator is required, one that is missing is found before any
// digest is computed: a forged reply is refused before its MD5 can match
// (draft-ietf-radext-deprecating-radius §5.3.1). So it is found whatever the Response
// Authenticator, and takes no place among the digests.
// Rules: P49
func TestMissingMessageAuthenticatorIsFoundBeforeDigests(t *testing.T) {
	ra := [16]byte(authenticator(40))
	for _, code := range []Code{2, 3, 11, 52} {
		d := NewDigests()
		forged := parsed(t, assemble(code, 5, authenticator(99), pair{18, []byte("hello")}))
		if _, err := d.VerifyReply(forged, radius.CodeAccessRequest, &ra, serverSecret(t, "xyzzy5461"), true); err != ErrNoMessageAuthenticator {
			t.Errorf("code %d with a wrong Response Authenticator and no Message-Authenticator: expected ErrNoMessageAuthenticator, got %v", code, err)
		}
		if n := len(d.queue); n != 0 {
			t.Errorf("code %d: %d packets wait for digests, expected none", code, n)
		}
	}
}

var ma = pair{80, make([]byte, 16)}

// RFC 3579 §3.1, §3.2, RFC 5080 §2.3.3, RFC 5176 §3.4, RFC 5997 §3
// Rules: P18, P20, P47, P48, P52, P76, P78
func TestVerifyRequest(t *testing.T) {
	h, client := NewHasher(), radSecSecret()
	eap, name := pair{79, []byte{2, 1, 0, 4}}, pair{1, []byte("nemo")}
	require, eapMA := RequestPolicy{RequireMA: true, VerifyRA: true}, RequestPolicy{RequireEAPMA: true, VerifyRA: true}
	for _, c := range []struct {
		what string
		code Code
		list []pair
		pol  RequestPolicy
		want error
	}{
		{"access without MA", 1, []pair{name}, everyCheck, nil},
		{"access without MA where it is required", 1, []pair{name}, require, ErrNoMessageAuthenticator},
		{"access with MA last", 1, []pair{name, ma}, require, nil},
		{"EAP without MA", 1, []pair{name, eap}, everyCheck, nil},
		{"EAP without MA where EAP requires it", 1, []pair{name, eap}, eapMA, ErrNoMessageAuthenticator},
		{"EAP-Start without MA where EAP requires it", 1, []pair{{79, nil}}, eapMA, ErrNoMessageAuthenticator},
		{"EAP with MA", 1, []pair{eap, ma}, eapMA, nil},
		{"access without EAP where EAP requires MA", 1, []pair{name}, eapMA, nil},
		{"two MAs", 1, []pair{ma, name, ma}, everyCheck, ErrMessageAuthenticatorForm},
		{"MA of 17 octets", 1, []pair{{80, make([]byte, 15)}}, everyCheck, ErrMessageAuthenticatorForm},
		{"MA of 19 octets", 1, []pair{{80, make([]byte, 17)}}, everyCheck, ErrMessageAuthenticatorForm},
		{"an empty MA", 1, []pair{{80, nil}}, everyCheck, ErrMessageAuthenticatorForm},
		{"status with MA", 12, []pair{ma}, everyCheck, nil},
		{"status with MA and attributes to ignore", 12, []pair{name, ma, {250, []byte("?")}}, everyCheck, nil},
		{"status without MA", 12, []pair{name}, everyCheck, ErrNoMessageAuthenticator},
		{"status with two MAs", 12, []pair{ma, ma}, everyCheck, ErrMessageAuthenticatorForm},
		{"accounting", 4, []pair{name}, everyCheck, nil},
		{"accounting with MA over zeros", 4, []pair{name, ma}, everyCheck, nil},
		{"accounting without MA where it is required", 4, []pair{name}, require, ErrNoMessageAuthenticator},
		{"CoA", 43, []pair{name}, everyCheck, nil},
		{"CoA with MA", 43, []pair{ma, name}, everyCheck, nil},
		{"CoA with EAP and no MA", 43, []pair{eap}, eapMA, ErrNoMessageAuthenticator},
		{"disconnect", 40, []pair{name}, everyCheck, nil},
		{"disconnect with two MAs", 40, []pair{ma, ma}, everyCheck, ErrMessageAuthenticatorForm},
		{"an answer in place of a request", 2, nil, everyCheck, ErrCode},
		{"an unknown code", 99, nil, everyCheck, ErrCode},
	} {
		b := oracleSign(assemble(c.code, 5, authenticator(8), c.list...), nil, "radsec")
		if err := h.VerifyRequest(parsed(t, b), client, c.pol); err != c.want {
			t.Errorf("%s: expected %v, got %v", c.what, c.want, err)
		}
	}
}

// Any altered bit is found, wherever it is: in Access-Request and Status-Server
// by the Message-Authenticator, in the others by the authenticator too. Only
// the Length field's bits are framing's to find.
// Rules: P18, P20, P25, P47
func TestVerifyRequestFindsEveryAlteredBit(t *testing.T) {
	h, client := NewHasher(), radSecSecret()
	for _, code := range []Code{1, 4, 12, 40, 43} {
		good := oracleSign(assemble(code, 5, authenticator(8), pair{1, []byte("nemo")}, ma), nil, "radsec")
		for bit := range len(good) * 8 {
			b := bytes.Clone(good)
			b[bit/8] ^= 1 << (bit % 8)
			v := new(View)
			if v.Parse(b) != nil || v.Code() != code || len(v.Get(80)) != 16 {
				continue // caught before any digest
			}
			want := ErrMessageAuthenticator
			if code != 1 && code != 12 {
				want = ErrRequestAuthenticator
			}
			if err := h.VerifyRequest(v, client, everyCheck); err != want {
				t.Errorf("code %d, bit %d altered: expected %v, got %v", code, bit, want, err)
			}
		}
	}
}

// RFC 5080 §2.3.3: an authenticator of zeros is not accepted; a client may be
// excused from it, but not from a Message-Authenticator that it sends.
// Rules: P20, P52
func TestVerifyRequestZeroAuthenticator(t *testing.T) {
	h, client := NewHasher(), radSecSecret()
	for _, code := range []Code{4, 40, 43} {
		v := parsed(t, assemble(code, 1, nil, pair{1, []byte("nemo")}))
		if err := h.VerifyRequest(v, client, everyCheck); err != ErrRequestAuthenticator {
			t.Errorf("code %d: expected ErrRequestAuthenticator, got %v", code, err)
		}
		if err := h.VerifyRequest(v, client, RequestPolicy{}); err != nil {
			t.Errorf("code %d, not verified: expected no error, got %v", code, err)
		}
		v = parsed(t, assemble(code, 1, nil, ma))
		if err := h.VerifyRequest(v, client, RequestPolicy{}); err != ErrMessageAuthenticator {
			t.Errorf("code %d, wrong MA: expected ErrMessageAuthenticator, got %v", code, err)
		}
	}
}

// RFC 2865 §2.3, RFC 3579 §3.1, draft-ietf-radext-deprecating-radius §5.3.1
// Rules: P18, P21, P47, P48, P49, P51, P52, P98
func TestVerifyReply(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "xyzzy5461")
	ra := [16]byte(authenticator(40))
	zeros := make([]byte, 16)
	eap := pair{79, []byte{3, 1, 0, 4}}
	for _, c := range []struct {
		what      string
		request   Code
		reply     Code
		list      []pair
		requireMA bool
		vector    []byte // of the MA; nil: ra
		want      error
	}{
		{"accept without MA", 1, 2, nil, false, nil, nil},
		{"accept without MA where it is required", 1, 2, nil, true, nil, ErrNoMessageAuthenticator},
		{"protocol-error without MA where it is required", 1, 52, nil, true, nil, ErrNoMessageAuthenticator},
		{"protocol-error with attributes nobody knows", 1, 52, []pair{ma, {251, []byte("?")}}, true, nil, nil},
		{"challenge with MA last", 1, 11, []pair{{24, []byte("s")}, ma}, true, nil, nil},
		{"accept with MA over zeros", 1, 2, []pair{ma}, true, zeros, ErrMessageAuthenticator},
		{"EAP without MA", 1, 3, []pair{eap}, false, nil, ErrNoMessageAuthenticator},
		{"EAP without MA in a CoA-ACK", 43, 44, []pair{eap}, false, nil, ErrNoMessageAuthenticator},
		{"EAP with MA", 1, 3, []pair{eap, ma}, false, nil, nil},
		{"two MAs", 1, 2, []pair{ma, ma}, false, nil, ErrMessageAuthenticatorForm},
		{"MA of 6 octets", 1, 2, []pair{{80, []byte("four")}}, false, nil, ErrMessageAuthenticatorForm},
		{"accounting without MA, not asked for it", 4, 5, nil, true, nil, nil},
		{"accounting with MA over the request's", 4, 5, []pair{ma}, true, nil, nil},
		{"accounting with MA over zeros", 4, 5, []pair{ma}, true, zeros, nil},
		{"accounting with MA over something else", 4, 5, []pair{ma}, true, authenticator(99), ErrMessageAuthenticator},
		{"CoA-NAK with MA over zeros", 43, 45, []pair{ma}, false, zeros, nil},
		{"Disconnect-ACK with MA over the request's", 40, 41, []pair{ma}, false, nil, nil},
		{"status with MA", 12, 2, []pair{ma}, true, nil, nil},
		{"status without MA", 12, 2, nil, true, nil, nil},
		{"status with MA over zeros", 12, 2, []pair{ma}, false, zeros, ErrMessageAuthenticator},
	} {
		b := assemble(c.reply, 5, ra[:], c.list...)
		vector := c.vector
		if vector == nil {
			vector = ra[:]
		}
		mac := macOf(b, vector, "xyzzy5461")
		for i := 20; i < len(b); i += int(b[i+1]) {
			if b[i] == 80 {
				copy(b[i+2:i+int(b[i+1])], mac)
			}
		}
		copy(b[4:20], md5Of(b[:4], ra[:], b[20:], []byte("xyzzy5461")))
		if err := h.VerifyReply(parsed(t, b), c.request, &ra, server, c.requireMA); err != c.want {
			t.Errorf("%s: expected %v, got %v", c.what, c.want, err)
		}
	}
}

// Rules: P21, P25
func TestVerifyReplyFindsEveryAlteredBit(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "xyzzy5461")
	ra := [16]byte(authenticator(40))
	good := oracleSign(assemble(radius.CodeAccessAccept, 5, nil, pair{1, []byte("nemo")}, ma), ra[:], "xyzzy5461")
	for bit := range len(good) * 8 {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		v := new(View)
		if v.Parse(b) != nil || len(v.Get(80)) != 16 {
			continue // caught before any digest
		}
		if err := h.VerifyReply(v, 1, &ra, server, true); err != ErrResponseAuthenticator {
			t.Errorf("bit %d altered: expected ErrResponseAuthenticator, got %v", bit, err)
		}
	}
	for bit := range 128 {
		other := ra
		other[bit/8] ^= 1 << (bit % 8)
		if err := h.VerifyReply(parsed(t, good), 1, &other, server, true); err != ErrResponseAuthenticator {
			t.Errorf("another request's authenticator: expected ErrResponseAuthenticator, got %v", err)
		}
	}
	// An MA that is wrong under a right Response Authenticator.
	b := bytes.Clone(good)
	b[len(b)-1] ^= 1
	copy(b[4:20], md5Of(b[:4], ra[:], b[20:], []byte("xyzzy5461")))
	if err := h.VerifyReply(parsed(t, b), 1, &ra, server, false); err != ErrMessageAuthenticator {
		t.Errorf("expected ErrMessageAuthenticator, got %v", err)
	}
}
