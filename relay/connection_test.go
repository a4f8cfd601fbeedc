package relay

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// All packets after one that must close the connection have the same fate, however many they
// are, and Flush returns the reason.
// Rules: P5
func TestAllAfterABadPacketIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		bad := makeRequest(12, 1, 1, mac)
		bad[30] ^= 1
		b.put(conn, bad)
		var err error
		for i := 1; i < wire.MaxDigests && err == nil; i++ {
			err = b.put(conn, makeRequest(12, byte(i), i, mac))
		}
		if !errors.Is(err, wire.ErrMessageAuthenticator) || b.packets != wire.MaxDigests {
			t.Errorf("after %d packets: %v, expected the refusal of the first with the last that fits", b.packets, err)
		}
		for range 2 { // while there is a burst, and without one
			if err := conn.Flush(); !errors.Is(err, wire.ErrMessageAuthenticator) {
				t.Errorf("Flush: %v, expected the refusal", err)
			}
		}
		none(t, "the client got", p.got())
		b.wantFates(fmt.Sprintf("status/bad_message_authenticator=1 status/client_gone=%d", wire.MaxDigests-1))
	})
}

// Rules: P100
func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Reject, onUnroutable: Reject,
			server: udpback.ServerConfig{Schedule: udpback.Schedule{Initial: time.Second, Count: 1, Duration: 2 * time.Second}}})
		conn, p := b.open()
		p.deaf, p.ended = true, metrics.ClosedNotReading
		b.net.setServe(func(s []byte) [][]byte {
			if joined(s, 1) == "silent@example.org" {
				return nil
			}
			return [][]byte{respond(s, 2, mac)}
		})
		b.send(conn, makeRequest(1, 1, 1, nemo))
		b.send(conn, makeRequest(1, 1, 1, nemo)) // the kept answer is not accepted either
		b.send(conn, makeRequest(1, 2, 1, user("nemo@elsewhere.example")))
		b.send(conn, makeRequest(12, 3, 1, mac))
		b.send(conn, makeRequest(1, 4, 1, user("silent@example.org")))
		pass(5 * time.Second)
		b.wantFates("access/client_not_reading=4 status/client_not_reading=1")
	})
}

// Requests of a connection that ends are counted by the reason: those that are answered when
// it no longer accepts answers, and those that are not answered.
func TestFatesOfAConnectionThatEnds(t *testing.T) {
	for reason, want := range map[metrics.Reason]string{
		metrics.ClosedShutdown:   "access/shutdown=2 status/shutdown=1",
		metrics.ClosedBroken:     "access/client_gone=2 status/client_gone=1", // a reset
		metrics.ClosedByPeer:     "access/client_gone=2 status/client_gone=1",
		metrics.ClosedNotReading: "access/client_gone=1 access/client_not_reading=1 status/client_not_reading=1",
		metrics.ClosedExpired:    "access/client_gone=2 status/client_gone=1",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open()
			b.net.setServe(func(s []byte) [][]byte {
				if joined(s, 1) == "silent@example.org" {
					return nil
				}
				return [][]byte{respond(s, 2, mac)}
			})
			b.send(conn, makeRequest(1, 1, 1, user("silent@example.org")))
			p.deaf, p.ended = true, reason
			b.send(conn, makeRequest(1, 2, 1, nemo))
			b.send(conn, makeRequest(12, 3, 1, mac))
			synctest.Wait()
			conn.Closed()
			if got := b.fates(); got != want {
				t.Errorf("a connection that ends by %v leaves %s, want %s", reason, got, want)
			}
		})
	}
}

// Rules: P6
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Reject})
		conn, p := b.open()
		for i, code := range []radius.Code{1, 4, 40, 43} {
			b.send(conn, makeRequest(code, byte(i), 1, nemo))
		}
		b.server.Close()
		none(t, "the client got", p.got())
		b.wantFates("access/shutdown=1 accounting/shutdown=1 coa/shutdown=1 disconnect/shutdown=1")
	})
}
