package gateway

import (
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// badPacket is a row of the table of bad packets.
type badPacket struct {
	name, client string
	packet       []byte
	answer       byte // its code; 0: none
	cause        byte // the low octet of its Error-Cause, all of which are in 256..511
	closes       bool
	fate         string // kind/fate
}

const (
	cause406 = 406 & 0xff
	cause407 = 407 & 0xff
	cause502 = 502 & 0xff
	cause505 = 505 & 0xff
)

// badPackets lists bad packets, each with its documented answer and fate.
func badPackets() []badPacket {
	good := nameOf("good@example.org")
	elsewhere := nameOf("nemo@elsewhere.example")
	head := func(code byte) []byte { return rawRequest(code, 7) }
	rows := []badPacket{
		{"Length 19", "plain", withLength(19, head(1)), 0, 0, true, "other/bad_length"},
		{"Length 0", "plain", withLength(0, head(1)), 0, 0, true, "other/bad_length"},
		{"Length 4097", "plain", withLength(4097, head(1)), 0, 0, true, "other/bad_length"},
		{"attribute of length 0", "plain", rawRequest(1, 7, []byte{1, 0, 0}), 0, 0, true, "other/bad_attributes"},
		{"attribute of length 1", "plain", rawRequest(1, 7, []byte{1, 1}), 0, 0, true, "other/bad_attributes"},
		{"attribute past the end", "plain", rawRequest(1, 7, []byte{1, 9, 'a'}), 0, 0, true, "other/bad_attributes"},
		{"one octet that is not an attribute", "plain", rawRequest(1, 7, []byte{1}), 0, 0, true, "other/bad_attributes"},

		{"EAP without Message-Authenticator", "plain", rawRequest(1, 7, good, tlv(79, 2, 1, 0, 4)), 0, 0, true, "access/missing_message_authenticator"},
		{"Status-Server without Message-Authenticator", "plain", rawRequest(12, 7), 0, 0, false, "status/missing_message_authenticator"},
		{"access, none where required", "strict", rawRequest(1, 7, good), 0, 0, true, "access/missing_message_authenticator"},
		{"CoA, none where required", "strict", rawRequest(43, 7, good), 0, 0, true, "coa/missing_message_authenticator"},
		{"Disconnect, none where required", "strict", rawRequest(40, 7, good), 0, 0, true, "disconnect/missing_message_authenticator"},

		{"accounting, wrong Request Authenticator", "plain", flip(6, rawRequest(4, 7, good)), 0, 0, true, "accounting/bad_request_authenticator"},
		{"CoA, wrong Request Authenticator", "plain", flip(6, rawRequest(43, 7, good)), 0, 0, true, "coa/bad_request_authenticator"},
		{"Disconnect, wrong Request Authenticator", "plain", flip(6, rawRequest(40, 7, good)), 0, 0, true, "disconnect/bad_request_authenticator"},

		{"code 99", "plain", head(99), 0, 0, false, "other/unknown_code"},
		{"code 0", "plain", head(0), 0, 0, false, "other/unknown_code"},

		{"access, no route", "plain", rawRequest(1, 7, elsewhere), 3, cause502, false, "access/no_route"},
		{"accounting, no route", "plain", rawRequest(4, 7, elsewhere), 0, 0, false, "accounting/no_route"},
		{"CoA, no route", "plain", rawRequest(43, 7, elsewhere), 45, cause502, false, "coa/no_route"},
		{"Disconnect, no route", "plain", rawRequest(40, 7, elsewhere), 42, cause502, false, "disconnect/no_route"},
		{"accounting, not allowed", "access", rawRequest(4, 7, good), 0, 0, false, "accounting/not_allowed"},
		{"CoA, not allowed", "access", rawRequest(43, 7, good), 45, cause406, false, "coa/not_allowed"},
		{"Disconnect, not allowed", "access", rawRequest(40, 7, good), 42, cause406, false, "disconnect/not_allowed"},

		{"would outgrow 4096 octets", "plain", rawRequest(1, 7, good, bytes.Repeat(tlv(200, make([]byte, 253)...), 15), tlv(200, make([]byte, 231)...)), 3, cause505, false, "access/too_long"},
		{"User-Password of 15 octets", "plain", rawRequest(1, 7, good, tlv(2, make([]byte, 15)...)), 3, cause407, false, "access/bad_user_password"},
	}
	for code, kind := range map[byte]string{1: "access", 4: "accounting", 12: "status", 40: "disconnect", 43: "coa"} {
		at := 20 + len(good) + 2
		wrong := rawRequest(code, 7, good, emptyMAC)
		if code == 1 || code == 12 {
			flip(at, wrong)
		} else { // the Request Authenticator is right, so that the Message-Authenticator is what fails
			wrong = rawRequest(code, 7, good, tlv(80), tlv(80, make([]byte, 14)...))
		}
		for what, p := range map[string][]byte{
			"wrong":   wrong,
			"doubled": rawRequest(code, 7, emptyMAC, good, emptyMAC),
			"short":   rawRequest(code, 7, good, tlv(80, make([]byte, 15)...)),
			"long":    rawRequest(code, 7, good, tlv(80, make([]byte, 17)...)),
		} {
			rows = append(rows, badPacket{kind + ", " + what + " Message-Authenticator", "plain", p, 0, 0, true, kind + "/bad_message_authenticator"})
		}
	}
	for _, code := range []byte{2, 3, 5, 11, 41, 42, 44, 45, 52} {
		rows = append(rows, badPacket{"a reply as a request", "plain", head(code), 0, 0, false, "other/unexpected_reply"})
	}
	return rows
}

// Each bad packet has its documented answer and its fate, and does not affect what follows
// it: on the same connection, or on a new one if it ends its own.
// Rules: P1, P5, P6, P15, P16, P20, P34, P47, P48, P71, P76, P87, C1, C3, C5
func TestBadPackets(t *testing.T) {
	g := startGateway(t, answering(t))
	for _, row := range badPackets() {
		t.Run(row.name, func(t *testing.T) {
			g := *g
			g.t = t
			before := g.scrape()
			c := g.connect(row.client)
			c.write(row.packet)
			if row.answer != 0 {
				a := c.read()
				if a == nil {
					t.Fatal("expected an answer, the connection is closed")
				}
				c.believe(row.packet, a, row.answer)
				if !bytes.Contains(a, tlv(101, 0, 0, 1, row.cause)) {
					t.Errorf("expected Error-Cause %d, got % x", 256+int(row.cause), a)
				}
			}
			want := row.client + "/" + row.fate + "=1"
			if row.closes {
				if a := c.read(); a != nil {
					t.Fatalf("expected the connection closed, got a packet with code %d", a[0])
				}
				g.await(want, func(now map[string]float64) string { return fatesSince(before, now) })
				before, want = g.scrape(), ""
				c = g.connect(row.client)
			}
			c.good()
			want = strings.TrimSpace(want + " " + row.client + "/access/relayed=1")
			sorted := func(s string) string { // two fates, in either order
				if a, b, two := strings.Cut(s, " "); two && b < a {
					return b + " " + a
				}
				return s
			}
			g.await(sorted(want), func(now map[string]float64) string { return fatesSince(before, now) })
		})
	}
}

// A packet must be complete in time, wherever it stops.
// Rules: P3, P5
func TestHalfAPacket(t *testing.T) {
	g := startGateway(t, answering(t))
	whole := rawRequest(1, 7, emptyMAC, nameOf("good@example.org"))
	for _, n := range []int{1, 3, 19, len(whole) - 1} {
		before := g.scrape()
		c := g.connect("plain")
		c.good()
		c.write(whole[:n])
		if c.read() != nil {
			t.Fatal("expected the connection closed, got a packet")
		}
		g.await("packet_timeout=1", func(now map[string]float64) string {
			return since("radsec_gw_tls_client_connections_closed_total", before, now, "reason")
		})
		g.await("plain/access/relayed=1", func(now map[string]float64) string { return fatesSince(before, now) })
		g.connect("plain").good()
		g.await("plain/access/relayed=2", func(now map[string]float64) string { return fatesSince(before, now) }) // must not be counted in the next round
	}
	// The same packet in single octets, all of them in time, is complete.
	g.rewrite("packet_timeout = \"300ms\"", "packet_timeout = \""+gatewaytest.Patience.String()+"\"")
	g.reload()
	c := g.connect("plain")
	for i := range whole {
		c.write(whole[i : i+1])
	}
	if a := c.read(); a == nil || a[0] != 2 {
		t.Error("expected an answer to a packet that arrives octet by octet, got none")
	}
}

// The connection of a peer that never reads is closed when too much waits for it, or for too
// long. Others are served meanwhile.
// Rules: P100
func TestPeerThatNeverReads(t *testing.T) {
	g := startGateway(t, answering(t))
	before := g.scrape()
	raw, err := net.DialTimeout("tcp", g.gw.Addr().String(), gatewaytest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, g.tls("plain"))
	// Answers of nearly 4096 octets, made by the gateway alone.
	big := append([][]byte{emptyMAC}, bytes.Repeat(tlv(33, make([]byte, 253)...), 15))
	// The gateway reads on for a moment after its close, so writing fails late.
	c.SetWriteDeadline(time.Now().Add(gatewaytest.Patience))
	for sent := 0; ; sent++ {
		_, err := c.Write(rawRequest(12, byte(sent), big...))
		if timedOut(err) {
			t.Fatal("expected the connection closed, it is open")
		}
		if err != nil {
			break
		}
		if sent == 100 {
			g.connect("plain").good()
		}
	}
	g.await("not_reading=1", func(now map[string]float64) string {
		for key := range before { // the good ones may have ended meanwhile
			if strings.Contains(key, `reason="peer_closed"`) {
				before[key] = now[key]
			}
		}
		return since("radsec_gw_tls_client_connections_closed_total", before, now, "reason")
	})
	if got := fatesSince(before, g.scrape()); !strings.Contains(got, "plain/status/client_not_reading=") {
		t.Errorf("expected packets with the fate client_not_reading, got %s", got)
	}
	g.await("0", func(now map[string]float64) string {
		if now["radsec_gw_tls_waiting_bytes{}"] == 0 {
			return "0"
		}
		return "bytes still wait for the peer that is gone"
	})
	g.connect("plain").good()
}
