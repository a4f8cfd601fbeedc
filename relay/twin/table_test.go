package twin_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"radsec-gw/relay/twin"
)

// The twin's table, typed by hand, is the published one.
// Rules: P35, P38, P41, P42
func TestTwinTable(t *testing.T) {
	text, err := os.ReadFile("../../wire/testdata/hidden-attributes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, row := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := strings.Split(row, "\t")
		if f[2] == "4" { // leap:session-key=, which does not depend on the type alone
			continue
		}
		n++
		vendor, _ := strconv.Atoi(f[0])
		number, sub, _ := strings.Cut(f[1], ".")
		k := twin.Key{Vendor: uint32(vendor)}
		k.Type, _ = strconv.Atoi(number)
		s, _ := strconv.Atoi("0" + sub)
		k.Sub = byte(s)
		want := map[string]twin.Method{"1no": twin.Password, "2no": twin.Salted, "2yes": twin.Tagged, "3no": twin.Ascend}[f[2]+f[4]]
		if got := twin.Hidden[k]; got != want {
			t.Errorf("%s: method %d, expected %d", row, got, want)
		}
	}
	if n != len(twin.Hidden) {
		t.Errorf("the twin hides %d attributes, expected %d", len(twin.Hidden), n)
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
