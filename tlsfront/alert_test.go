package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"sync"
	"testing"
)

// clearAlert is a client's connection on which nothing goes out after the
// ClientHello but an alert in clear, as OpenSSL sends it.
type clearAlert struct {
	net.Conn
	alert  byte
	mu     sync.Mutex
	writes int
}

func (c *clearAlert) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes++; c.writes == 1 {
		return c.Conn.Write(b)
	}
	if c.writes == 2 {
		c.Conn.Write([]byte{21, 3, 3, 0, 2, 2, c.alert})
	}
	return len(b), nil
}

// A peer that refuses is told of by its alert's name and with what to do for that
// alert, in clear or encrypted, with either version. RFC 8446 §6.
//
// Rules: P103
func TestAlertsOfPeers(t *testing.T) {
	for _, c := range []struct {
		alert  byte
		name   string
		result string
		says   string
		not    string
	}{
		{48, "unknown_ca", "peer_alert", "give it the CA that signed it, CN=test CA", ""},
		{42, "bad_certificate", "peer_alert", "give it the CA that signed it", ""},
		{45, "certificate_expired", "peer_alert", "see radsec-gw check", "give it the CA"},
		{49, "access_denied", "peer_alert", "certificate", "give it the CA"},
		{70, "protocol_version", "peer_alert", "min_tls", "certificate"},
		{40, "handshake_failure", "peer_alert", "cipher_suites", "does not trust"},
		{120, "no_application_protocol", "peer_alert", "radius_versions", "certificate"},
		{112, "unrecognized_name", "peer_alert", "those in the certificate", "does not trust"},
		{50, "decode_error", "peer_alert", "its own log", "certificate"},
		{80, "internal_error", "peer_alert", "its own log", "certificate"},
		{201, "the alert 201", "peer_alert", "the peer's own log", "trust"},
		{0, "close_notify", "peer_closed", "its own log", "certificate"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(c.name+" "+tls.VersionName(version), func(t *testing.T) {
				f := startTCP(t, nil)
				raw := must(net.Dial("tcp", f.addr))
				defer raw.Close()
				cfg := f.clientConfig()
				cfg.RootCAs = x509.NewCertPool()
				cfg.MinVersion, cfg.MaxVersion = version, version
				if err := tls.Client(&clearAlert{Conn: raw, alert: c.alert}, cfg).Handshake(); err == nil {
					t.Fatal("the client trusts a CA that it does not know")
				}
				raw.Close()
				result := c.result
				f.awaitMetric(`radsec_gw_tls_handshakes_total{result="`+result+`"}`, 1)
				f.stop()
				if c.alert == 0 && version == tls.VersionTLS12 {
					return // crypto/tls reports an end, as without any alert
				}
				f.wantLine("RadSec connection refused", "result="+result, c.name, c.says)
				if line := strings.Join(f.log.lines("connection refused"), ""); c.not != "" && strings.Contains(cause(line), c.not) {
					t.Errorf("the line of the alert %s has the hint %q, which is for others: %s", c.name, c.not, line)
				}
			})
		}
	}
}

// cause is the text of a log line's error.
func cause(line string) string {
	_, after, _ := strings.Cut(line, `error="`)
	text, _, _ := strings.Cut(after, `"`)
	return text
}

// An alert that comes encrypted has its name, too.
func TestEncryptedAlertHasItsName(t *testing.T) {
	f := startTCP(t, nil)
	cfg := f.clientConfig()
	cfg.RootCAs = x509.NewCertPool()
	if _, err := tls.Dial("tcp", f.addr, cfg); err == nil {
		t.Fatal("the client trusts a CA that it does not know")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="peer_alert"}`, 1)
	f.stop()
	f.wantLine("result=peer_alert", "the peer sent the alert bad_certificate", "CN=test CA")
}

// An alert in clear after which the handshake went on does not explain its failure.
func TestAlertBeforeOtherRecords(t *testing.T) {
	warning, finished := []byte{21, 3, 3, 0, 2, 1, 100}, []byte{22, 3, 3, 0, 1, 20}
	for _, c := range []struct {
		says    string
		records [][]byte
		want    bool
	}{
		{"at the end", [][]byte{finished, warning}, true},
		{"before a handshake message", [][]byte{warning, finished}, false},
		{"before the beginning of one", [][]byte{warning, finished[:5]}, false},
		{"before an encrypted alert", [][]byte{warning, {21, 3, 3, 0, 26, 1}}, false},
		{"before another alert", [][]byte{warning, warning}, true},
	} {
		w := clearRecords{keep: maxHelloKept}
		for _, r := range c.records {
			w.scan(r)
		}
		if w.alerted != c.want {
			t.Errorf("%s: alerted is %v, expected %v", c.says, w.alerted, c.want)
		}
	}
}

// A record that is announced and does not come takes no memory.
func TestWatchKeepsWhatHasCome(t *testing.T) {
	w := clearRecords{keep: maxFlight}
	w.scan([]byte{22, 3, 3, 64, 0, 11})
	if n := cap(w.messages); n > 64 {
		t.Errorf("one byte of a message takes %d", n)
	}
	w.scan(make([]byte, 16383))
	if n := cap(w.messages); n > 2*16384 || len(w.messages) != 16384 {
		t.Errorf("a message of %d bytes takes %d", len(w.messages), n)
	}
	w.scan(append([]byte{22, 3, 3, 64, 0}, make([]byte, 16384)...))
	if n := len(w.messages); n != maxFlight {
		t.Errorf("%d bytes are kept, expected %d", n, maxFlight)
	}
}

// Records are followed however they are cut, and only an alert in clear counts.
func FuzzWatch(f *testing.F) {
	f.Add([]byte{21, 3, 3, 0, 2, 2, 48}, 3)
	f.Add([]byte{22, 3, 1, 0, 1, 1, 21, 3, 3, 0, 2, 2, 48}, 6)
	f.Add([]byte{23, 3, 3, 0, 7, 21, 3, 3, 0, 2, 2, 48}, 1)
	f.Add([]byte{22, 3, 3, 0, 14, 11, 0, 0, 10, 0, 0, 7, 0, 0, 1, 5, 0, 0, 0}, 9)
	f.Add([]byte{21, 3, 3, 0, 0, 21, 3, 3, 0, 19, 1, 2}, 5)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = max(0, min(cut, len(b)))
		whole, parts := clearRecords{keep: maxHelloKept}, clearRecords{keep: maxHelloKept}
		whole.scan(b)
		parts.scan(b[:cut])
		for i := range b[cut:] {
			parts.scan(b[cut+i : cut+i+1])
		}
		if whole.alerted != parts.alerted || whole.alert != parts.alert || string(whole.messages) != string(parts.messages) {
			t.Fatalf("%x at once gives alert %v %v and messages %x, in parts %v %v and %x", b, whole.alerted, whole.alert, whole.messages, parts.alerted, parts.alert, parts.messages)
		}
		if len(whole.messages) > maxHelloKept {
			t.Fatalf("%d bytes of messages are kept", len(whole.messages))
		}
		var all []byte
		for _, one := range whole.certificates() {
			all = append(all, one...)
		}
		if len(all) > len(whole.messages) {
			t.Fatalf("%d bytes of certificates out of %d of messages", len(all), len(whole.messages))
		}
		if alerts := slowAlerts(b); whole.alerted != (len(alerts) > 0) || len(alerts) > 0 && whole.alert != alerts[len(alerts)-1] {
			t.Fatalf("%x gives alert %v %v, expected the last of %v", b, whole.alerted, whole.alert, alerts)
		}
	})
}

// slowAlerts finds the alerts in clear at the end of a stream of records.
func slowAlerts(b []byte) (found []alert) {
	for len(b) >= 5 {
		n := int(b[3])<<8 | int(b[4])
		if b[0] != 21 || n != 2 {
			found = nil
		}
		if len(b) < 5+n {
			return found
		}
		if b[0] == 21 && n == 2 {
			found = append(found, alert(b[6]))
		}
		b = b[5+n:]
	}
	return found
}
