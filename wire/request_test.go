package wire

import (
	"bytes"
	"testing"
)

// serverSees writes the server's copy of a request and checks its signature.
func serverSees(t *testing.T, request []byte) []pair {
	t.Helper()
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteRequest(dst, parsed(t, request), radSecSecret(), serverSecret(t, "server's"), 200)
	if err != nil {
		t.Fatalf("WriteRequest: %v", err)
	}
	oracleChecks(t, dst[:n], nil, "server's")
	if dst[0] != request[0] || dst[1] != 200 {
		t.Fatalf("server sees code %d and Identifier %d, expected %d and 200", dst[0], dst[1], request[0])
	}
	return append([]pair{{0, bytes.Clone(dst[4:20])}}, pairs(dst[:n])...) // the authenticator as attribute 0
}

func requestError(t *testing.T, request []byte) error {
	t.Helper()
	_, err := NewHasher().WriteRequest(make([]byte, MaxLength), parsed(t, request), radSecSecret(), serverSecret(t, "server's"), 200)
	return err
}

// RFC 2865 §2.3, §3, §4.1
// Rules: P4, P23, P32, P45, P46
func TestWriteRequestRenewsWhatBelongsToTheHop(t *testing.T) {
	request := assemble(1, 7, authenticator(1), pair{33, []byte("ps")}, pair{1, []byte("nemo")}, ma, pair{24, []byte("s")})
	first, second := serverSees(t, request), serverSees(t, request)
	if bytes.Equal(first[0].value, authenticator(1)) || bytes.Equal(first[0].value, second[0].value) {
		t.Error("expected a new random Request Authenticator for each copy")
	}
	if first[1].t != 80 {
		t.Errorf("expected Message-Authenticator first, got attribute %d", first[1].t)
	}
	samePairs(t, "the rest", []pair{{1, []byte("nemo")}, {24, []byte("s")}}, first[2:])
}

// RFC 3579 §3.3, RFC 5176 §3.4
// Rules: P18, P45, P48, P52, C5
func TestWriteRequestMessageAuthenticatorByKind(t *testing.T) {
	name, eap := pair{1, []byte("nemo")}, pair{79, []byte{2, 1, 0, 4}}
	for _, c := range []struct {
		what string
		code Code
		list []pair
		want bool
	}{
		{"access without one gets one", 1, []pair{name}, true},
		{"accounting keeps none", 4, []pair{name, ma}, false},
		{"accounting with EAP, which goes too", 4, []pair{name, ma, eap, eap}, false},
		{"CoA without one stays without", 43, []pair{name}, false},
		{"CoA with one gets a new one", 43, []pair{name, ma}, true},
		{"CoA with EAP gets one", 43, []pair{name, eap}, true},
		{"disconnect with one gets a new one", 40, []pair{ma, name}, true},
	} {
		got := serverSees(t, assemble(c.code, 7, authenticator(1), c.list...))
		if has := got[1].t == 80; has != c.want || len(only(got, 80)) > 1 {
			t.Errorf("%s: got %v", c.what, got)
		}
		if c.code == 4 && len(only(got, 79)) != 0 {
			t.Errorf("%s: expected no EAP-Message, got %v", c.what, got)
		}
	}
	for _, code := range []Code{2, 12, 52, 99} {
		if err := requestError(t, assemble(code, 1, nil, ma)); err != ErrCode {
			t.Errorf("code %d: expected ErrCode, got %v", code, err)
		}
	}
}

// RFC 2865 §2.3, §4.1, §5.3, RFC 2869 §2.2, RFC 3579 §3.1
// Rules: P11, P17, P36, P37
func TestWriteRequestChallenges(t *testing.T) {
	ra := authenticator(77)
	chap, arap := pair{3, authenticator(1)}, pair{70, authenticator(2)}
	own := pair{60, []byte("a challenge of its own")}
	eap1, eap2 := pair{79, []byte("one")}, pair{79, []byte("two")}
	for _, c := range []struct {
		what       string
		list, want []pair
		keptRA     bool
	}{
		{"CHAP without a challenge", []pair{chap}, []pair{chap, {60, ra}}, false},
		{"CHAP with a challenge", []pair{own, chap}, []pair{own, chap}, false},
		{"ARAP keeps the authenticator", []pair{arap}, []pair{arap}, true},
		{"both: nothing is repaired", []pair{arap, chap}, []pair{arap, chap}, true},
		{"CHAP beside EAP: the EAP-Messages stay together", []pair{chap, eap1, eap2}, []pair{chap, eap1, eap2, {60, ra}}, false},
	} {
		got := serverSees(t, assemble(1, 7, ra, c.list...))
		samePairs(t, c.what, c.want, got[2:])
		if kept := bytes.Equal(got[0].value, ra); kept != c.keptRA {
			t.Errorf("%s: authenticator kept is %v, expected %v", c.what, kept, c.keptRA)
		}
	}
}

// RFC 2865 §5.2, RFC 3579 §3.3
// Rules: P8, P35
func TestWriteRequestUserPasswordLengths(t *testing.T) {
	eap := pair{79, []byte{2, 1, 0, 4}}
	for n := 0; n <= 253; n++ {
		password := pair{2, make([]byte, n)}
		possible := n >= 16 && n <= 128 && n%16 == 0
		err := requestError(t, assemble(1, 1, authenticator(1), password))
		if possible != (err == nil) || !possible && err != ErrUserPassword {
			t.Errorf("User-Password of %d octets: got %v", n, err)
		}
		got := serverSees(t, assemble(1, 1, authenticator(1), password, eap))
		if kept := len(only(got, 2)) == 1; kept != possible {
			t.Errorf("User-Password of %d octets beside EAP: kept is %v", n, kept)
		}
		// In other requests it is an invalid attribute, copied unchanged.
		if got := serverSees(t, assemble(43, 1, nil, password)); !possible {
			samePairs(t, "CoA", []pair{password}, got[1:])
		}
	}
}

// RFC 2868 §3.5, RFC 2548 §2.4, RFC 6929 §2.8: what cannot be a hidden value is
// copied unchanged, whatever its length, and so is one in a request that
// decrypts to nonsense.
// Rules: P8, P40
func TestWriteRequestInvalidHiddenValues(t *testing.T) {
	for n := 0; n <= 60; n++ {
		for what, c := range map[string]struct {
			p     pair
			valid bool
		}{
			"Tunnel-Password":   {pair{69, make([]byte, n)}, n > 3 && (n-3)%16 == 0},
			"MS-MPPE-Send-Key":  {vsa(311, sub(16, make([]byte, n))...), n > 2 && (n-2)%16 == 0},
			"MS-CHAP-MPPE-Keys": {vsa(311, sub(12, make([]byte, n))...), n > 0 && n%16 == 0},
			"Ascend-Send":       {vsa(529, sub(214, make([]byte, n))...), n == 16},
			"X-Ascend-Send":     {pair{214, make([]byte, n)}, n == 16},
		} {
			got := serverSees(t, assemble(1, 1, authenticator(1), c.p))
			if same := bytes.Equal(got[2].value, c.p.value); same == c.valid || len(got[2].value) != len(c.p.value) {
				t.Errorf("%s of %d octets: copied unchanged: %v", what, n, same)
			}
		}
	}
	for what, body := range map[string][]byte{
		"no vendor":                {0, 0, 1},
		"no vendor attribute":      {0, 0, 1, 55},
		"vendor length 0":          {0, 0, 1, 55, 16, 0, 1},
		"vendor length beyond":     append([]byte{0, 0, 1, 55, 16, 99}, make([]byte, 18)...),
		"octets after":             append([]byte{0, 0, 1, 55, 16, 20}, make([]byte, 19)...),
		"another vendor's":         append([]byte{0, 0, 0, 9, 16, 20}, make([]byte, 18)...),
		"Microsoft's not hidden":   append([]byte{0, 0, 1, 55, 25, 20}, make([]byte, 18)...),
		"Lucent's second octet":    append([]byte{0, 0, 18, 238, 1, 214, 19}, make([]byte, 16)...),
		"TLVs that do not fill":    append([]byte{0, 0, 160, 152, 5, 21, 2, 20}, make([]byte, 17)...),
		"a TLV that is not hidden": append([]byte{0, 0, 160, 152, 5, 22, 1, 20}, make([]byte, 18)...),
	} {
		p := pair{26, body}
		samePairs(t, what, []pair{p}, serverSees(t, assemble(1, 1, authenticator(1), p))[2:])
	}
}

// RFC 2865 §3: 4096 octets and not one more.
// Rules: P1, P15, P99
func TestWriteRequestTooLong(t *testing.T) {
	filler := func(n int) (list []pair) { // n octets of attributes, n not 1
		for n > 0 {
			size := min(n, 255)
			if n-size == 1 {
				size--
			}
			list = append(list, pair{200, make([]byte, size-2)})
			n -= size
		}
		return list
	}
	chap := pair{3, make([]byte, 17)}
	for _, c := range []struct {
		what string
		code Code
		list []pair
		want error
	}{
		{"space for the MA", 1, filler(4096 - 20 - 18), nil},
		{"one octet less", 1, filler(4096 - 20 - 17), ErrTooLong},
		{"space for MA and challenge", 1, append(filler(4096-20-18-18-19), chap), nil},
		{"space for half a challenge", 1, append(filler(4096-20-18-10-19), chap), ErrTooLong},
		{"no space for the challenge", 1, append(filler(4096-20-18-19), chap), ErrTooLong},
		{"accounting adds nothing", 4, filler(4096 - 20), nil},
		{"the client's own MA makes space", 1, append(filler(4096-20-18), ma), nil},
		{"its Proxy-State too", 1, append(filler(4096-20-18), pair{33, make([]byte, 16)}), nil},
	} {
		if err := requestError(t, assemble(c.code, 1, authenticator(1), c.list...)); err != c.want {
			t.Errorf("%s: expected %v, got %v", c.what, c.want, err)
		}
	}
}

// RFC 5176 §3.2, RFC 8559 §3.4, RFC 2865 §5: none of a proxy's business.
// Rules: P7, P10, P13, P14, P44, P58, P73, P90, P92
func TestWriteRequestLeavesTheRestAlone(t *testing.T) {
	list := []pair{
		{1, []byte("us\x00er@example.org")}, {24, []byte("\x00state\x00")}, {6, []byte{0, 0, 0, 17}},
		{25, []byte("class")}, {25, nil}, {3, authenticator(5)}, {60, authenticator(9)}, {126, []byte("1example.org")},
		{241, []byte("\x08operator's NAS")}, {55, []byte{0x65, 0, 0, 0}}, {41, []byte{0, 0, 0, 9}},
		vsa(311, sub(25, make([]byte, 50))...), {103, []byte("digest")}, {255, []byte("?")}, {1, []byte("again")},
		{79, []byte("a")}, {79, []byte("b")}, {79, nil}, {79, []byte("c")},
	}
	for _, code := range []Code{1, 4, 40, 43} {
		got := without(serverSees(t, assemble(code, 7, authenticator(1), list...)), 0, 80)
		want := list
		if code == 4 {
			want = without(list, 79) // see TestWriteRequestMessageAuthenticatorByKind
		}
		samePairs(t, code.String(), want, got)
	}
}

// dst may hold anything before, and the packet read from is not written to.
// Rules: P65
func TestWriteRequestKeepsTheClientsPacket(t *testing.T) {
	request := parsed(t, vectors(t)["D1"])
	before := bytes.Clone(request.Packet)
	serverSees(t, request.Packet)
	if !bytes.Equal(before, request.Packet) {
		t.Error("the client's packet was altered")
	}
}

// A Status-Server is about one hop and never written for the next (RFC 5997 §4.4).
// Rules: P75
func TestStatusServerIsNotWrittenForAServer(t *testing.T) {
	if err := requestError(t, assemble(12, 1, authenticator(3), ma, pair{32, []byte("nas")})); err != ErrCode {
		t.Errorf("a Status-Server for a server: expected ErrCode, got %v", err)
	}
}
