package wire

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// Response-Length is the longest reply that the neighbour accepts, and this hop accepts
// 4096 octets, so it is dropped, whatever its length; the other extended attributes are
// copied.
// Rules: P12, P99
func TestResponseLengthIsDropped(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst, ra := make([]byte, MaxLength), [16]byte(authenticator(90))
	list := []pair{
		{241, []byte{3, 0, 0, 0xff, 0xff}}, {1, []byte("nemo")}, {241, []byte{3}}, {241, []byte{8, 3}}, {241, nil}, {241, []byte{3, 1}}, {242, []byte{3, 1}}, {245, []byte{3, 0, 1}},
	}
	want := []pair{list[1], list[3], list[4], list[6], list[7]}
	for _, code := range []Code{1, 4, 40, 43} {
		samePairs(t, "to the server", want, without(serverSees(t, assemble(code, 7, authenticator(1), list...)), 0, 80))
		n, err := h.WriteRequest(dst, parsed11(t, assemble11(code, 9, list...)), client, server, 1)
		if err != nil {
			t.Fatal(err)
		}
		samePairs(t, "from RADIUS/1.1 to the server", want, without(pairs(dst[:n]), 80))
	}
	for _, code := range []Code{2, 3, 5, 11, 41, 45} {
		samePairs(t, "to the client", want, without(clientSees(t, assemble(1, 7, authenticator(1)), assemble(code, 9, nil, list...)), 80))
		n, err := h.WriteReply(dst, parsed(t, assemble(code, 9, nil, list...)), parsed11(t, assemble11(1, 9)), &ra, server, client)
		if err != nil {
			t.Fatal(err)
		}
		samePairs(t, "to a client of RADIUS/1.1", want, pairs(dst[:n]))
	}
}

// Every standard attribute with a rule is looked at when attributes are copied.
func TestHandlingKnowsEveryHiddenAttribute(t *testing.T) {
	for n, r := range standardRules {
		if how := handlingOf[n]; (r != 0) != slices.Contains([]handling{hidden, password}, how) {
			t.Errorf("attribute %d has rule %d but handling %d", n, r, how)
		}
	}
}

// Nothing depends on the order of attributes of different types: wherever they are,
// the same is found (RFC 2865 §5, draft-ietf-radext-deprecating-radius §8.11).
// Rules: P10
func TestOrderOfTypesDoesNotMatter(t *testing.T) {
	list := []pair{{1, []byte("nemo")}, {24, []byte("state")}, {33, []byte("ps")}, {79, []byte{2, 42, 0, 4}}, ma, {126, []byte("1a")}, {32, []byte("nas")}, {31, []byte("station")}}
	for turn := range list {
		for swap := range list {
			turned := append(slices.Clone(list[turn:]), list[:turn]...)
			turned[0], turned[swap] = turned[swap], turned[0]
			b := oracleSign(assemble(1, 7, authenticator(1), turned...), nil, "radsec")
			v := parsed(t, b)
			got := fmt.Sprintf("%s %s %s %s %s %t %t", v.UserName(), v.State(), v.OperatorName(), v.NASIdentifier(), v.CallingStationID(), v.HasEAP(), v.HasProxyState())
			if want := "nemo state 1a nas station true true"; got != want {
				t.Errorf("%v: found %q, expected %q", turned, got, want)
			}
			if err := NewHasher().VerifyRequest(v, radSecSecret(), RequestPolicy{RequireMA: true}); err != nil {
				t.Errorf("%v: expected that it verifies, got %v", turned, err)
			}
		}
	}
}

// Several kinds of credentials in one request are all copied unchanged: the server
// decides which of them counts (RFC 2865 §4.1).
// Rules: P17
func TestSeveralKindsOfCredentialsAreCopied(t *testing.T) {
	hidden := pair{2, hidePassword(bytes.Repeat([]byte{'p'}, 16), "radsec", authenticator(1))}
	kinds := []pair{hidden, {3, authenticator(3)}, {70, authenticator(4)}, {79, []byte{2, 42, 0, 4}}}
	for some := range 1 << len(kinds) {
		list := []pair{{1, []byte("nemo")}, {60, []byte("challenge")}, ma}
		for i, p := range kinds {
			if some&(1<<i) != 0 {
				list = append(list, p)
			}
		}
		got := serverSees(t, assemble(1, 7, authenticator(1), list...))
		for i, p := range kinds {
			left := only(got, p.t)
			if want := some & (1 << i) >> i; len(left) != want {
				t.Errorf("%v: the server sees %d attributes of type %d, expected %d", list, len(left), p.t, want)
			} else if want == 1 && p.t != 2 && !bytes.Equal(left[0].value, p.value) {
				t.Errorf("%v: the server sees attribute %d as % x", list, p.t, left[0].value)
			}
		}
	}
}

// What a hop adds to a reply is before or after its EAP-Messages, and so is
// what a request gets: they stay consecutive (RFC 3579 §3.1).
// Rules: P11
func TestNothingIsPutAmongEAPMessages(t *testing.T) {
	eap, more := pair{79, bytes.Repeat([]byte{1}, 253)}, pair{79, []byte{2}}
	state, chap := pair{33, []byte("ps")}, pair{3, authenticator(3)}
	request := assemble(1, 7, authenticator(1), eap, more, eap, state, chap, state, ma)
	for side, got := range map[string][]pair{
		"the server": serverSees(t, request)[1:],
		"the client": clientSees(t, request, assemble(11, 200, nil, eap, more, eap, pair{24, []byte("s")}, ma)),
	} {
		at := slices.IndexFunc(got, func(p pair) bool { return p.t == 79 })
		for i, p := range []pair{eap, more, eap} {
			if at < 0 || at+i >= len(got) || got[at+i].t != 79 || !bytes.Equal(got[at+i].value, p.value) {
				t.Fatalf("%s sees %v, expected the three EAP-Messages one after another", side, got)
			}
		}
		if len(only(got, 79)) != 3 || len(only(got, 80)) != 1 {
			t.Errorf("%s sees %v, expected three EAP-Messages and one Message-Authenticator", side, got)
		}
	}
}

// Only what is copied counts, whatever is omitted or joined, and wherever that is: a
// request of 4096 octets is forwarded when that makes up for the 18 octets of
// Message-Authenticator.
// Rules: P8, P15, P99, P125
func TestOnlyCopiedAttributesCount11(t *testing.T) {
	for _, c := range []struct {
		what string
		list []pair
		less int // octets that it makes the request shorter
	}{
		{"User-Password beside EAP-Message", []pair{{79, nil}, {2, xs(129)}}, 131},
		{"unfit Vendor-Specific", []pair{vsa(311, append([]byte{16, 99}, xs(10)...)...)}, 18},
		{"shorter unfit Vendor-Specific", []pair{vsa(311, append([]byte{16, 99}, xs(9)...)...)}, 17},
		{"signature", []pair{vsa(9, sub(17, xs(10))...)}, 18},
		{"shorter signature", []pair{vsa(9, sub(18, xs(9))...)}, 17},
		{"Response-Length", []pair{{241, append([]byte{3}, xs(15)...)}}, 18},
		{"shorter Response-Length", []pair{{241, append([]byte{3}, xs(14)...)}}, 17},
		{"Proxy-State", []pair{{33, xs(16)}}, 18},
		{"shorter Proxy-State", []pair{{33, xs(15)}}, 17},
		{"WiMAX key in four parts", splitWiMAX(5, xs(15), 4, 4, 4), 4*9 + 15 - (9 + 2 + 16)},
		{"WiMAX key in three parts", splitWiMAX(5, xs(15), 5, 5), 3*9 + 15 - (9 + 2 + 16)},
		{"parts without a last one", []pair{wimaxPart(5, true, nil), wimaxPart(5, true, nil)}, 18},
		{"shorter parts without a last one", []pair{wimaxPart(5, true, xs(8))}, 17},
	} {
		size := len(assemble(1, 1, nil, c.list...))
		fill := filling(18, 4096-size)
		for where, list := range map[string][]pair{"before": slices.Concat(c.list, fill), "after": slices.Concat(fill, c.list)} {
			var want error
			if c.less < 18 {
				want = ErrTooLong
			}
			got, _, err := toServer(t, list...)
			if err != want || err == nil && len(assemble(1, 1, nil, got...)) != 4096-c.less {
				t.Errorf("%s, %s: expected %d octets less, %v, got %v", c.what, where, c.less, want, err)
			}
		}
	}
}

// The same for a reply, which grows by the Proxy-State of the client.
// Rules: P8, P15, P99, P125
func TestOnlyCopiedAttributesCountInReplies11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for _, c := range []struct {
		what string
		list []pair
		size int // of what comes of it
	}{
		{"unfit Vendor-Specific", []pair{vsa(311, append([]byte{16, 99}, xs(10)...)...)}, 0},
		{"signatures", []pair{vsa(9, append(sub(17, xs(10)), sub(18, nil)...)...)}, 0},
		{"Proxy-State and Message-Authenticator", []pair{{33, xs(16)}, {80, xs(16)}}, 0},
		{"what is in no hidden form", []pair{{69, xs(34)}}, 0},
		{"a hidden value", []pair{{69, append([]byte{1}, salted(t, xs(20), 0x8001, key11, ra[:])...)}}, 2 + 1 + 20},
		{"hidden padding", []pair{{2, hidePassword(make([]byte, 32), key11, ra[:])}}, 2},
		{"WiMAX key in parts", splitWiMAX(5, salted(t, xs(5), 0x8001, key11, ra[:]), 5, 5, 5), 9 + 5},
	} {
		for more, want := range []error{nil, ErrTooLong} {
			for where, list := range map[string][]pair{"before": append(c.list[:len(c.list):len(c.list)], pair{18, xs(8)}), "after": append([]pair{{18, xs(8)}}, c.list...)} {
				reply := parsed(t, assemble(3, 1, nil, list...))
				request := parsed11(t, assemble11(1, 9, filling(33, 4096-20-10-c.size+more)...))
				n, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, request, &ra, serverSecret(t, key11), radSecSecret())
				if err != want || err == nil && n != 4096 {
					t.Errorf("%s, %s, %d octets too long: expected %v, got %d octets, %v", c.what, where, more, want, n, err)
				}
			}
		}
	}
}

// Original-Packet-Code is omitted, and nothing that looks a little like it.
// Rules: P7, P125
func TestOriginalPacketCode11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	stays := []pair{{1, []byte{4, 5}}, {241, nil}, {4, []byte{192, 0, 2, 1}}, {241, []byte{5, 4}}, {242, []byte{4, 0, 0, 0, 1}}, {241, []byte{8}}}
	list := append([]pair{{241, []byte{4}}}, stays...)
	list = append(list, pair{241, []byte{4, 0, 0, 0, 1}}, pair{241, nil})
	stays = append(stays, pair{241, nil})
	got, err := toClient(t, 11, &ra, list...)
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "the reply", stays, got)
	got, _, err = toServer(t, list...)
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "the request", stays, got)
}
