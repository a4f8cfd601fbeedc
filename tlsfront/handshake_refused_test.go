package tlsfront

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// recording records what was read from a connection.
type recording struct {
	net.Conn
	read bytes.Buffer
}

func (r *recording) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.read.Write(b[:n])
	return n, err
}

// lastRecord returns the type and the length of the last TLS record.
func lastRecord(b []byte) (kind byte, length int) {
	for len(b) >= 5 {
		kind, length = b[0], int(b[3])<<8|int(b[4])
		b = b[min(len(b), 5+length):]
	}
	return kind, length
}

// A client outside of its networks is refused after the handshake, and the last record
// that it gets is close_notify, because crypto/tls cannot send access_denied (RFC
// 6614bis §3.4).
//
// Rules: P5, P108
func TestRefusedAfterTheHandshakeGetsCloseNotify(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.Clients = elsewhere() })
	for version, want := range map[uint16]struct {
		kind   byte
		length int
	}{
		tls.VersionTLS12: {21, 8 + 2 + 16}, // alert: with its nonce and its tag
		tls.VersionTLS13: {23, 2 + 1 + 16}, // every record looks like application data; an alert is the shortest
	} {
		raw := &recording{Conn: must(net.Dial("tcp", f.addr))}
		cfg := f.clientConfig()
		cfg.MaxVersion = version
		c := tls.Client(raw, cfg)
		if err := c.Handshake(); err != nil {
			t.Fatalf("%s: the handshake fails with %v, expected the refusal after it", tls.VersionName(version), err)
		}
		if err := readToEnd(c); err != io.EOF {
			t.Errorf("%s: the client sees %v, expected the end", tls.VersionName(version), err)
		}
		c.Close()
		if kind, length := lastRecord(raw.read.Bytes()); kind != want.kind || length != want.length {
			t.Errorf("%s: the last record has type %d and %d octets, expected type %d and %d: close_notify", tls.VersionName(version), kind, length, want.kind, want.length)
		}
	}
}
