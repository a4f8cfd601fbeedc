package udpback

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// After a Protocol-Error that concerns only the server, the request is tried at the next,
// and at each of them once, before it fails; any other ends the exchange at once. A
// server that sent one is not tried again, whatever the others answer (RFC 9765 §6.1).
// Rules: P97, P95
func TestProtocolErrorIsTriedElsewhere(t *testing.T) {
	for _, row := range []struct {
		name    string
		code    radius.Code
		causes  map[string]byte // by server, minus 256; 0: silence; none: an answer
		want    string
		cause   uint32 // that the owner hears of
		a, b, c int    // requests at each server
	}{
		{"506, the next answers", 1, map[string]byte{"a": 250}, "replies [Access-Accept] fails []", 0, 1, 1, 0},
		{"506 to accounting", 4, map[string]byte{"a": 250}, "replies [Accounting-Response] fails []", 0, 1, 1, 0},
		{"502 and 505", 1, map[string]byte{"a": 246, "b": 249}, "replies [Access-Accept] fails []", 0, 1, 1, 1},
		{"each of the three", 1, map[string]byte{"a": 250, "b": 249, "c": 250}, "replies [] fails [1]", 506, 1, 1, 1},
		{"404", 1, map[string]byte{"a": 148}, "replies [] fails [1]", 404, 1, 0, 0},
		{"CoA stays", 43, map[string]byte{"a": 250}, "replies [] fails [1]", 506, 1, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				a, b, c := f.server(t, "a", nil), f.server(t, "b", nil), f.server(t, "c", nil)
				defer a.Close()
				defer b.Close()
				defer c.Close()
				got := map[string]int{}
				f.net.serve = func(address string, q []byte) [][]byte {
					name := address[:1]
					got[name]++
					if cause, ok := row.causes[name]; ok {
						return [][]byte{protocolError(q, cause)}
					}
					return [][]byte{answer(t, q, map[byte]radius.Code{1: 2, 4: 5, 43: 44}[q[0]])}
				}
				o := newOwner(row.code)
				f.start(t, f.group(t, Failover, a, b, c), o)
				<-o.ended
				if o.outcome() != row.want || row.cause != 0 && o.causes[0] != row.cause {
					t.Errorf("%s causes %v, expected %s with %d", o.outcome(), o.causes, row.want, row.cause)
				}
				f.net.mu.Lock()
				defer f.net.mu.Unlock()
				if got["a"] != row.a || got["b"] != row.b || got["c"] != row.c {
					t.Errorf("requests at the servers: %v, expected %d, %d, %d", got, row.a, row.b, row.c)
				}
			})
		})
	}
}

// A request that a server has declined does not come back to it, although the next one
// is silent and goes down, and the first is up.
// Rules: P97
func TestDeclinedRequestDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.serve = func(address string, q []byte) [][]byte {
			if address[:1] == "a" {
				return [][]byte{protocolError(q, 250)}
			}
			return nil
		}
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		for range 5 { // b is silent for all of them, and suspect or worse by then
			f.start(t, f.group(t, Failover, b), newOwner(radius.CodeAccessRequest))
		}
		<-o.ended
		if o.outcome() != "replies [] fails [0]" {
			t.Errorf("%s, expected b's silence", o.outcome())
		}
		if n := len(f.net.seen("a:1812")); n != 1 {
			t.Errorf("a got the request %d times, expected once", n)
		}
		if state := b.endpoint(wire.KindAccess).health.State(); state.String() == "up" {
			t.Error("b is up: the test proves nothing")
		}
		pass(time.Minute)
	})
}

// A Protocol-Error ends an exchange only when its Response Authenticator is right; else
// the schedule goes on as if nothing had arrived. Its other attributes, of any type,
// change nothing (draft-dekok-protocol-error §5).
// Rules: P97, P98
func TestProtocolErrorMustVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, s), o)
		q := f.net.seen("a:1813")[0].octets
		b := []byte{byte(wire.CodeProtocolError), q[1], 0, 0}
		b = append(b, q[4:20]...)
		b = append(b, 200, 5, 'n', 'e', 'w', 26, 8, 0, 1, 0x86, 0x9f, 1, 2, 245, 4, 9, 1, 101, 6, 0, 0, 1, 148, 241, 3, 99)
		b[3] = byte(len(b))
		sum := md5.Sum(append(bytes.Clone(b), secretText...))
		copy(b[4:20], sum[:])
		forged := bytes.Clone(b)
		forged[19] ^= 1
		f.net.sockets[0].in <- forged
		pass(3 * time.Second)
		synctest.Wait()
		if got, sends := o.outcome(), len(f.net.seen("a:1813")); got != "replies [] fails []" || sends < 2 {
			t.Errorf("after a forged Protocol-Error: %s and %d transmissions, expected the schedule to go on", got, sends)
		}
		f.net.sockets[0].in <- b
		synctest.Wait()
		if got := o.outcome(); got != fmt.Sprintf("replies [] fails [%d]", FailProtocolError) || o.causes[0] != 404 {
			t.Errorf("%s causes %v, expected the exchange ended with 404", got, o.causes)
		}
	})
}

// Which causes concern the way, so that another server may do better.
// Rules: P97
func TestOtherServerMayAnswer(t *testing.T) {
	for cause := uint32(0); cause < 600; cause++ {
		want := cause == 502 || cause == 505 || cause == 506
		if got := OtherServerMayAnswer(cause); got != want {
			t.Errorf("Error-Cause %d concerns the way: %t, expected %t", cause, got, want)
		}
	}
}
