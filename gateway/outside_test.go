package gateway

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// Who is no client is refused, by name, and the next good client is served.
// Rules: P5, P101, P102, P103, P104, P107
func TestOutsideHandshakes(t *testing.T) {
	o := startOutside(t, answering(t))
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Client("plain")
	if err != nil {
		t.Fatal(err)
	}
	expired, err := o.ca.Client("plain", certs.Valid(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(c *tls.Config)) func(raw net.Conn) error {
		return func(raw net.Conn) error {
			c := o.tls("plain")
			change(c)
			return speakTLS(raw, c)
		}
	}
	rows := []struct {
		name, source, result string
		speak                func(raw net.Conn) error // until the gateway closes; the error tells how
	}{
		{"plain TCP, RADIUS in clear", "127.0.0.1", "not_tls", func(raw net.Conn) error {
			if _, err := raw.Write(rawRequest(1, 1, emptyMAC, nameOf("good@example.org"))); err != nil {
				return err
			}
			return untilClosed(raw)
		}},
		{"TLS 1.1", "127.0.0.1", "old_version", with(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })},
		{"no certificate, TLS 1.3", "127.0.0.1", "no_certificate", with(func(c *tls.Config) { c.Certificates = nil })},
		{"no certificate, TLS 1.2", "127.0.0.1", "no_certificate", with(func(c *tls.Config) { c.Certificates, c.MaxVersion = nil, tls.VersionTLS12 })},
		{"a certificate of another CA", "127.0.0.1", "untrusted_certificate", with(func(c *tls.Config) { present(c, foreign) })},
		{"an expired certificate", "127.0.0.1", "expired_certificate", with(func(c *tls.Config) { present(c, expired) })},
		{"a fingerprint that is not listed", "127.0.0.1", "unknown_client", with(func(c *tls.Config) { present(c, o.pairs["unlisted"]) })},
		{"a network that no client lists", "127.0.0.2", "unknown_network", with(func(*tls.Config) {})},
		{"a network of another client", "127.0.0.3", "unknown_client", with(func(*tls.Config) {})},
		{"a client outside its network", "127.0.0.1", "unknown_client", with(func(c *tls.Config) { present(c, o.pairs["faraway"]) })},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			before := o.scrape()
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(row.source)}, Timeout: gatewaytest.Patience}
			raw, err := d.Dial("tcp", o.gw.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			raw.SetDeadline(time.Now().Add(gatewaytest.Patience))
			if err := row.speak(raw); timedOut(err) {
				t.Errorf("the connection was not closed")
			}
			o.await(row.result+"=1", func(now map[string]float64) string {
				return since("radsec_gw_tls_handshakes_total", before, now, "result")
			})
			if fates := fatesSince(before, o.scrape()); fates != "" {
				t.Errorf("packets were counted: %s", fates)
			}
			o.connect("plain").good()
		})
	}
	for _, want := range []string{"fingerprint is not among its 1", "no client lists this source address", "is not in 192.0.2.0/24"} {
		if !strings.Contains(o.log.String(), want) {
			t.Errorf("the log does not say which condition failed: no %q in it\n%s", want, o.log)
		}
	}
}

// present makes the client show this certificate, whatever CAs the gateway names.
func present(c *tls.Config, p *certs.Pair) {
	c.Certificates = nil
	pair := p.TLS()
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
}

// speakTLS does a handshake, sends a good request, and reads until the end: a
// TLS 1.3 client learns of its refusal only when it reads.
func speakTLS(raw net.Conn, c *tls.Config) error {
	conn := tls.Client(raw, c)
	if err := conn.Handshake(); err != nil {
		return err
	}
	if _, err := conn.Write(rawRequest(1, 1, emptyMAC, nameOf("good@example.org"))); err != nil {
		return err
	}
	return untilClosed(conn)
}

func untilClosed(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// badPacket is a row of the table of bad packets.
type badPacket struct {
	name, client string
	packet       []byte
	answer       byte // its code; 0: none
	cause        byte // the low octet of its Error-Cause, all of which lie in 256..511
	closes       bool
	fate         string // kind/fate
}

const (
	cause406 = 406 & 0xff
	cause407 = 407 & 0xff
	cause502 = 502 & 0xff
	cause505 = 505 & 0xff
)

// outsideRows is the table: each row with its documented answer and fate.
func outsideRows() []badPacket {
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
		{"one octet that is no attribute", "plain", rawRequest(1, 7, []byte{1}), 0, 0, true, "other/bad_attributes"},

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
		} else { // the Request Authenticator holds, so that the Message-Authenticator is what fails
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

// Each bad packet has its documented answer and its fate, and does no harm to
// what follows it: on the same connection, or on a new one where it costs its own.
// Rules: P1, P5, P6, P15, P16, P20, P34, P47, P48, P71, P76, P87, C1, C3, C5
func TestOutsideBadPackets(t *testing.T) {
	o := startOutside(t, answering(t))
	for _, row := range outsideRows() {
		t.Run(row.name, func(t *testing.T) {
			o := *o
			o.t = t
			before := o.scrape()
			c := o.connect(row.client)
			c.write(row.packet)
			if row.answer != 0 {
				a := c.read()
				if a == nil {
					t.Fatal("the connection is closed, expected an answer")
				}
				c.believe(row.packet, a, row.answer)
				if !bytes.Contains(a, tlv(101, 0, 0, 1, row.cause)) {
					t.Errorf("the answer lacks Error-Cause %d: % x", 256+int(row.cause), a)
				}
			}
			want := row.client + "/" + row.fate + "=1"
			if row.closes {
				if a := c.read(); a != nil {
					t.Fatalf("got a packet with code %d, expected the connection closed", a[0])
				}
				o.await(want, func(now map[string]float64) string { return fatesSince(before, now) })
				before, want = o.scrape(), ""
				c = o.connect(row.client)
			}
			c.good()
			want = strings.TrimSpace(want + " " + row.client + "/access/relayed=1")
			sorted := func(s string) string { // two fates, in either order
				if a, b, two := strings.Cut(s, " "); two && b < a {
					return b + " " + a
				}
				return s
			}
			o.await(sorted(want), func(now map[string]float64) string { return fatesSince(before, now) })
		})
	}
}

// A started packet must be whole in time, wherever it stops.
// Rules: P3, P5
func TestOutsideHalfAPacket(t *testing.T) {
	o := startOutside(t, answering(t))
	whole := rawRequest(1, 7, emptyMAC, nameOf("good@example.org"))
	for _, n := range []int{1, 3, 19, len(whole) - 1} {
		before := o.scrape()
		c := o.connect("plain")
		c.good()
		c.write(whole[:n])
		if c.read() != nil {
			t.Fatal("got a packet, expected the connection closed")
		}
		o.await("packet_timeout=1", func(now map[string]float64) string {
			return since("radsec_gw_tls_client_connections_closed_total", before, now, "reason")
		})
		o.await("plain/access/relayed=1", func(now map[string]float64) string { return fatesSince(before, now) })
		o.connect("plain").good()
		o.await("plain/access/relayed=2", func(now map[string]float64) string { return fatesSince(before, now) }) // not to be counted in the next round
	}
	// The same packet in single octets, all within the time, is no half packet.
	o.rewrite("packet_timeout = \"300ms\"", "packet_timeout = \""+gatewaytest.Patience.String()+"\"")
	o.reload()
	c := o.connect("plain")
	for i := range whole {
		c.write(whole[i : i+1])
	}
	if a := c.read(); a == nil || a[0] != 2 {
		t.Error("a packet that came octet by octet was not answered")
	}
}

// A peer that never reads is closed when what waits for it reaches its bound or
// its time; others are served meanwhile.
// Rules: P100
func TestOutsidePeerThatNeverReads(t *testing.T) {
	o := startOutside(t, answering(t))
	before := o.scrape()
	raw, err := net.DialTimeout("tcp", o.gw.Addr().String(), gatewaytest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, o.tls("plain"))
	// Answers of nearly 4096 octets, made by the gateway alone.
	big := append([][]byte{emptyMAC}, bytes.Repeat(tlv(33, make([]byte, 253)...), 15))
	// The gateway reads on for a moment after its close, so writing fails late.
	c.SetWriteDeadline(time.Now().Add(gatewaytest.Patience))
	for sent := 0; ; sent++ {
		_, err := c.Write(rawRequest(12, byte(sent), big...))
		if timedOut(err) {
			t.Fatal("the connection is still open, expected it closed")
		}
		if err != nil {
			break
		}
		if sent == 100 {
			o.connect("plain").good()
		}
	}
	o.await("not_reading=1", func(now map[string]float64) string {
		for key := range before { // the good ones may have ended meanwhile
			if strings.Contains(key, `reason="peer_closed"`) {
				before[key] = now[key]
			}
		}
		return since("radsec_gw_tls_client_connections_closed_total", before, now, "reason")
	})
	if got := fatesSince(before, o.scrape()); !strings.Contains(got, "plain/status/client_not_reading=") {
		t.Errorf("no packet has the fate client_not_reading: %s", got)
	}
	o.await("0", func(now map[string]float64) string {
		if now["radsec_gw_tls_waiting_bytes{}"] == 0 {
			return "0"
		}
		return "octets still wait for the peer that is gone"
	})
	o.connect("plain").good()
}
