package probe

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"layeh.com/radius"
)

// tlv is one attribute as octets.
func tlv(t byte, value ...byte) []byte { return append([]byte{t, byte(2 + len(value))}, value...) }

// attribute11 returns the values of a type in a packet.
func attribute11(b []byte, t byte) (found []string) {
	for i := 20; i < len(b); i += int(b[i+1]) {
		if b[i] == t {
			found = append(found, string(b[i+2:i+int(b[i+1])]))
		}
	}
	return found
}

// reply11 makes a reply of RADIUS/1.1 to q.
func reply11(q []byte, code byte, attributes ...[]byte) []byte {
	b := append([]byte{code, 0, 0, 0}, q[4:8]...)
	b = append(b, make([]byte, 12)...)
	b = append(b, bytes.Join(attributes, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// run11Case is a RadSec server of RADIUS/1.1 that answers as answer says, and what Run makes of it.
type run11Case struct {
	name   string
	cfg    Config
	answer func(t *testing.T, q []byte) []byte
	ok     bool // Run returns no error
	want   []string
}

// What Run sends to a server of RADIUS/1.1, returns and writes.
// Rules: P120, P122, P123, P125, P126, P127, P128
func TestRun11(t *testing.T) {
	dir := testCertificates(t)
	for _, c := range append(good11, bad11...) {
		t.Run(c.name, func(t *testing.T) {
			address := answerOnce(t, dir, func(q []byte) []byte { return c.answer(t, q) }, alpnRadius11)
			r, said, err := run(dir, address, c.cfg)
			if (err == nil) != c.ok || !r.Radius11 {
				t.Errorf("error %v over RADIUS/1.1: %v; want none: %v", err, r.Radius11, c.ok)
			}
			checkTranscript(t, said, c.want)
		})
	}
}

// accept11 is an Access-Accept with text and hidden values.
func accept11(q []byte) []byte {
	return reply11(q, 2, tlv(18, []byte("welcome")...), tlv(69, []byte("\x01tunnel")...),
		tlv(26, append([]byte{0, 0, 1, 55, 16, 5}, "key"...)...))
}

var good11 = []run11Case{
	{"PAP", access, func(t *testing.T, q []byte) []byte {
		if got := attribute11(q, 2); len(got) != 1 || got[0] != "hello" || q[1] != 0 || string(q[8:20]) != string(make([]byte, 12)) || attribute11(q, 80) != nil {
			t.Errorf("the probe sent % x", q)
		}
		return accept11(q)
	}, true, []string{"radius/1.1", "token 0x", "User-Password = (hidden)", "Token: the request's", `Tunnel-Password:1 = "tunnel"`, `MS-MPPE-Send-Key = 0x6b6579 "key"`, "verified Access-Accept"}},
	{"CHAP", Config{Kind: Access, User: "bob", Password: "hello", CHAP: true}, func(t *testing.T, q []byte) []byte {
		chap, challenge := attribute11(q, 3)[0], attribute11(q, 60)
		if len(challenge) != 1 {
			t.Error("CHAP without CHAP-Challenge")
			return nil
		}
		if sum := md5.Sum([]byte(chap[:1] + "hello" + challenge[0])); string(sum[:]) != chap[1:] {
			t.Error("CHAP-Password does not answer CHAP-Challenge")
		}
		return accept11(q)
	}, true, []string{"verified Access-Accept"}},
	{"status", Config{Kind: Status}, func(_ *testing.T, q []byte) []byte { return reply11(q, 2) },
		true, []string{"sent Status-Server", "verified Access-Accept"}},
	{"accounting", Config{Kind: Accounting, Version: "1.1"}, func(_ *testing.T, q []byte) []byte { return reply11(q, 5) },
		true, []string{"verified Accounting-Response"}},
}

var bad11 = []run11Case{
	{"Protocol-Error", access, func(_ *testing.T, q []byte) []byte { return reply11(q, 52, tlv(101, 0, 0, 1, 0xf6)) },
		false, []string{"Error-Cause = 502", "verified, but the answer is Protocol-Error"}},
	{"another Token", access, func(_ *testing.T, q []byte) []byte { b := accept11(q); b[4]++; return b },
		false, []string{"Token: WRONG", "does not verify"}},
	{"refused", access, func(*testing.T, []byte) []byte { return reply11(make([]byte, 20), 52, tlv(101, 0, 0, 1, 0x96)) },
		false, []string{"refuses the connection"}},
	{"reserved octets", access, func(_ *testing.T, q []byte) []byte { b := accept11(q); b[19] = 1; return b },
		false, []string{"reserved octets of the header: WRONG"}},
	{"Message-Authenticator", access, func(_ *testing.T, q []byte) []byte { return reply11(q, 2, tlv(80, make([]byte, 16)...)) },
		false, []string{"Message-Authenticator: WRONG"}},
	{"Original-Packet-Code", access, func(_ *testing.T, q []byte) []byte { return reply11(q, 52, tlv(241, 4, 0, 0, 0, 1)) },
		false, []string{"Original-Packet-Code: WRONG"}},
}

// Each pair of offers of RFC 9765 §3.3.2 without a common version.
// Rules: P120
func TestRunVersions(t *testing.T) {
	dir := testCertificates(t)
	for _, c := range []struct {
		version string
		server  []string
		want    string
	}{
		{"1.1", nil, "does not speak RADIUS/1.1"},
		{"1.1", []string{alpnRadius10}, "-radius-version"},
		{"1.0", []string{alpnRadius11}, "-radius-version"},
	} {
		address := answerOnce(t, dir, func([]byte) []byte { return nil }, c.server...)
		_, said, err := run(dir, address, Config{Kind: Status, Version: c.version})
		if err == nil || isConfigError(err) || !strings.Contains(said, c.want) {
			t.Errorf("%s against %v: error %v, want one that is not a *ConfigError and says %q", c.version, c.server, err, c.want)
		}
	}
	address := answerOnce(t, dir, func([]byte) []byte { return nil }, alpnRadius11)
	if _, _, err := run(dir, address, Config{Kind: Access, User: "bob"}); !isConfigError(err) {
		t.Errorf("no password in RADIUS/1.1: error %v, want a *ConfigError", err)
	}
}

func isConfigError(err error) bool {
	var mistake *ConfigError
	return errors.As(err, &mistake)
}

// A connection begins with a random Token (RFC 9765 §4.2.1).
// Rules: P123
func TestTokensDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 8 {
		b, err := encode11(&radius.Packet{Code: radius.CodeStatusServer}, "")
		if err != nil {
			t.Fatal(err)
		}
		seen[string(b[4:8])] = true
	}
	if len(seen) < 7 { // that two of eight are the same is as likely as one in 150 million
		t.Errorf("eight requests have only %d Tokens", len(seen))
	}
}
