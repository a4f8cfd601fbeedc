package twin_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/relay/twin"
)

// The twin hides what the RFCs and the vendors' dictionaries say is hidden: at least one row
// of each method, with and without a vendor and TLVs.
// Rules: P35, P38, P41, P42
func TestTwinTable(t *testing.T) {
	for key, want := range map[twin.Key]twin.Method{
		{Type: 2}:                         twin.Password, // RFC 2865 §5.2, User-Password
		{Type: 69}:                        twin.Tagged,   // RFC 2868 §3.5, Tunnel-Password
		{Vendor: 311, Type: 12}:           twin.Password, // RFC 2548 §2.4.1, MS-CHAP-MPPE-Keys
		{Vendor: 311, Type: 16}:           twin.Salted,   // RFC 2548 §2.4.2, MS-MPPE-Send-Key
		{Vendor: 311, Type: 17}:           twin.Salted,   // RFC 2548 §2.4.3, MS-MPPE-Recv-Key
		{Vendor: 529, Type: 214}:          twin.Ascend,
		{Vendor: 2356, Type: 19}:          twin.Tagged,
		{Vendor: 24757, Type: 86, Sub: 3}: twin.Salted,
		{Vendor: 41112, Type: 5, Sub: 2}:  twin.Salted,
		{Type: 1}:                         twin.Plain,
		{Vendor: 311, Type: 11}:           twin.Plain, // MS-CHAP-Challenge
		{Vendor: 24757, Type: 86}:         twin.Plain, // the container itself
	} {
		if got := twin.Hidden[key]; got != want {
			t.Errorf("%+v: method %d, expected %d", key, got, want)
		}
	}
	if n := len(twin.Hidden); n < 59 {
		t.Errorf("the twin hides %d attributes, expected the 59 that were published when this was written, or more", n)
	}
}

// published returns the octets of a vector of wire/testdata/vectors.md.
func published(t testing.TB, name string) []byte {
	text, err := os.ReadFile("../../wire/testdata/vectors.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?m)^```" + regexp.QuoteMeta(name) + "\n((?:[0-9a-f]{2}[ \n])+)```").FindSubmatch(text)
	if m == nil {
		t.Fatalf("no vector %s", name)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The twin handles the published packets as the RFCs say, so that it does not repeat the
// gateway's mistakes: it hides and signs as others do.
// Rules: P18, P21, P35, P47, P76
func TestTwinReadsVectors(t *testing.T) {
	for _, row := range []struct{ name, request, secret string }{
		{"2865-7.1-accept", "2865-7.1-request", "xyzzy5461"},
		{"2865-7.2-accept", "2865-7.2-request", "xyzzy5461"},
		{"5997-6.1-response", "5997-6.1-request", "xyzzy5461"},
	} {
		if !twin.ValidReply(published(t, row.name), published(t, row.request), row.secret, false) {
			t.Errorf("%s is not accepted", row.name)
		}
		if twin.ValidReply(published(t, row.name), published(t, row.request), row.secret+"x", false) {
			t.Errorf("%s is accepted under another secret", row.name)
		}
	}
	if fate := twin.FateOf(published(t, "5997-6.1-request"), false, "xyzzy5461"); fate != twin.Status {
		t.Errorf("the Status-Server of RFC 5997 §6.1 has fate %d", fate)
	}
	q := published(t, "2865-7.1-request")
	list, _ := twin.Parse(q)
	hop := twin.Hop{Secret: "xyzzy5461", Vector: [16]byte(q[4:20])}
	if got, want := twin.Values(list, 2)[0], twin.Password.Hide([]byte("arctangent"), 0, [2]byte{}, hop); !bytes.Equal(got, want) {
		t.Errorf("the User-Password of RFC 2865 §7.1 is % x, hidden by the twin % x", got, want)
	}
}
