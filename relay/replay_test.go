package relay

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/rules"
	"radsec-gw/wire"
)

// If no server can be reached, a record goes to the spool at once. When one is back, all are
// sent with the time that they have waited, also by the next process.
//
// Rules: SP3, SP5, SP6, SP9
func TestGroupDown(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, directory)
		conn, p := b.open()
		b.down(conn)
		p.got()
		b.send(conn, record(2, 1, "s1", integer(41, 7)))
		b.settle()
		if got := len(p.got()); got != 1 {
			t.Fatalf("expected an acknowledgement at once, got %d answers", got)
		}
		b.closeSpool()
	})
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, directory)
		b.passing(time.Hour)
		b.net.seen()
		b.answering()
		b.passing(2 * time.Minute)
		delay := -1
		for _, d := range b.net.seen() {
			var v wire.View
			if v.Parse(d.octets) == nil && string(v.Get(44)) == "s1" {
				delay = int(binary.BigEndian.Uint32(v.Get(41)))
				if a := make([]byte, 16); string(v.Authenticator()[:]) == string(a) {
					t.Error("expected a signed packet")
				}
			}
		}
		if delay < 3607 || delay > 3607+100 {
			t.Errorf("expected an Acct-Delay-Time of 7 s and the hour and a moment, got %d s", delay)
		}
		if n := b.spool.State().Records; n != 0 {
			t.Errorf("expected an empty spool, got %d records", n)
		}
	})
}

// A hidden attribute reaches the server readable for it, though it was encrypted for the client,
// and then for the spool.
//
// Rules: SP4
func TestHiddenAttributesSurviveTheSpool(t *testing.T) {
	for _, v11 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newSpoolBed(t, settings{}, "")
			conn, _ := b.open()
			b.down(conn)
			password := append([]byte{1}, hideSalted("hello-Password", clientText)...)
			if v11 {
				conn, _ = b.open11()
				b.send(conn, makeRequest11(4, 9, nemo, integer(40, 1), text(44, "s1"), text(32, "ap-7"), attr{69, append([]byte{1}, "hello-Password"...)}))
			} else {
				b.send(conn, record(2, 1, "s1", attr{69, password}))
			}
			b.settle()
			if data, err := os.ReadFile(filepath.Join(b.directory, "spool.db")); err != nil || strings.Contains(string(data), "hello-Password") {
				t.Errorf("expected a database without the password, got it in clear, or the error %v", err)
			}
			b.net.seen()
			b.answering()
			b.passing(2 * time.Minute)
			found := ""
			for _, d := range b.net.seen() {
				var v wire.View
				if v.Parse(d.octets) == nil && string(v.Get(44)) == "s1" {
					found = revealSalted(v.Get(69)[1:], serverText)
				}
			}
			if found != "hello-Password" {
				t.Errorf("1.1 %v: expected that the server reads the password, got %q", v11, found)
			}
		})
	}
}

// Rules that need the facts of the connection find those that it had.
//
// Rules: SP4
func TestFactsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		b.rules.Facts = true
		b.client.Attributes.Request = chainOf(t, rules.Rule{Set: []rules.Assignment{{Attribute: "NAS-Identifier", Values: []string{"{certificate.san_dns}"}}}})
		conn, _ := b.openFrom(Origin{Facts: func() *rules.Facts {
			return &rules.Facts{Client: "campus", Certificate: rules.CertificateFacts{SANDNS: "ap-7.example.org"}}
		}})
		b.down(conn)
		b.send(conn, record(2, 1, "s1"))
		b.settle()
		b.net.seen()
		b.answering()
		b.passing(2 * time.Minute)
		for _, d := range b.net.seen() {
			var v wire.View
			if v.Parse(d.octets) == nil && string(v.Get(44)) == "s1" && string(v.NASIdentifier()) != "ap-7.example.org" {
				t.Errorf("expected the NAS-Identifier of the rule, got %q", v.NASIdentifier())
			}
		}
		if n := b.spool.State().Records; n != 0 {
			t.Errorf("expected an empty spool, got %d records", n)
		}
	})
}

// A server that refuses a record again and again while it answers others has it set aside, and
// the others are delivered.
//
// Rules: SP12
func TestRecordThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, _ := b.open()
		b.down(conn)
		b.send(conn, record(2, 1, "bad"))
		b.send(conn, record(3, 1, "good"))
		b.settle()
		b.net.setServe(func(q []byte) [][]byte {
			var v wire.View
			if v.Parse(q) == nil && string(v.Get(44)) == "bad" {
				return nil
			}
			return acknowledge(q)
		})
		b.passing(10 * time.Minute)
		if n := b.spool.State().Records; n != 0 {
			t.Errorf("expected an empty spool, got %d records", n)
		}
		text, err := os.ReadFile(filepath.Join(b.directory, "set-aside.detail"))
		if err != nil || !strings.Contains(string(text), `Acct-Session-Id = "bad"`) || strings.Contains(string(text), "good") {
			t.Errorf("expected the bad record in the file, got %q, %v", text, err)
		}
	})
}

// While its server answers nothing, no record is set aside, however long that takes.
//
// Rules: SP12
func TestSilenceSetsNothingAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, _ := b.open()
		b.down(conn)
		b.send(conn, record(2, 1, "s1"))
		b.passing(3 * time.Hour)
		if n := b.spool.State().Records; n != 2 {
			t.Errorf("expected that both records are still there, got %d", n)
		}
		b.answering()
		b.passing(5 * time.Minute)
		if n := b.spool.State().Records; n != 0 {
			t.Errorf("expected an empty spool, got %d records", n)
		}
	})
}

// Accounting-On and -Off are kept like any other record, and are sent after what came before
// them.
//
// Rules: SP1, SP5
func TestOnAndOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, _ := b.open()
		b.down(conn)
		for i, r := range []struct {
			status  uint32
			session string
		}{{1, "s1"}, {1, "s2"}, {8, "off"}, {7, "on"}, {1, "s3"}} {
			b.send(conn, record(byte(10+i), r.status, r.session))
		}
		b.settle()
		b.net.seen()
		b.answering()
		b.passing(2 * time.Minute)
		got := b.sentRecords()
		got = slices.DeleteFunc(got, func(s string) bool { return s == "s0/1" })
		slices.Sort(got[:2])
		if want := []string{"s1/1", "s2/1", "off/8", "on/7", "s3/1"}; !slices.Equal(got, want) {
			t.Errorf("expected %v, got %v", want, got)
		}
	})
}

// hideSalted hides a short password as in an Accounting-Request, whose vector is zeros (RFC
// 2868 §3.5).
func hideSalted(text, secret string) []byte {
	salt := []byte{0x80, 1}
	block := make([]byte, 16)
	block[0] = byte(copy(block[1:], text))
	return append(salt, xorSalted(block, secret, salt)...)
}

// revealSalted reads what hideSalted hides.
func revealSalted(value []byte, secret string) string {
	block := xorSalted(value[2:18], secret, value[:2])
	return string(block[1 : 1+min(15, int(block[0]))])
}

func xorSalted(block []byte, secret string, salt []byte) []byte {
	stream := md5.Sum(append(append([]byte(secret), make([]byte, 16)...), salt...))
	out := make([]byte, 16)
	subtle.XORBytes(out, block, stream[:])
	return out
}
