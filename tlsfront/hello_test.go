package tlsfront

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

func TestReadHello(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes string
		err   error
	}{
		{"a ClientHello", "\x16\x03\x01\x01\x00\x01\x00", nil},
		{"one that is cut into records", "\x16\x03\x03\x00\x01\x01", nil},
		{"nothing", "", io.EOF},
		{"half of what is needed", "\x16\x03\x01", io.EOF},
		{"HTTP", "GET / HTTP/1.1", errNotHello},
		{"RADIUS", "\x01\x07\x00\x14", errNotHello},
		{"SSL 2", "\x80\x2e\x01\x00\x02", errNotHello},
		{"an alert", "\x15\x03\x01\x00\x02\x02", errNotHello},
		{"another message", "\x16\x03\x01\x01\x00\x02", errNotHello},
		{"an empty record", "\x16\x03\x01\x00\x00\x01", errNotHello},
		{"a record that is too long", "\x16\x03\x01\x40\x01\x01", errNotHello},
		{"another protocol's version", "\x16\x04\x01\x01\x00\x01", errNotHello},
	} {
		for how, r := range map[string]io.Reader{
			"at once": bytes.NewReader([]byte(c.bytes)), "byte by byte": iotest.OneByteReader(bytes.NewReader([]byte(c.bytes))),
			"with its end": iotest.DataErrReader(bytes.NewReader([]byte(c.bytes))),
		} {
			b, err := readHello(r, nil)
			if !errors.Is(err, c.err) || err == nil && len(b) < helloSize {
				t.Errorf("%s, %s: got %d bytes and %v, want %v", c.name, how, len(b), err, c.err)
			}
		}
		// What was read after a PROXY header is checked before anything is read.
		if b, err := readHello(iotest.ErrReader(io.EOF), []byte(c.bytes)); !errors.Is(err, c.err) || string(b) != c.bytes {
			t.Errorf("%s, read ahead: got %q and %v, want all of it and %v", c.name, b, err, c.err)
		}
	}
}

// The start of a ClientHello is recognized however it is split, nothing of it is lost,
// and no more is read than necessary.
func FuzzReadHello(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x01\x00\x01\x00\x00\xfc"), 2)
	f.Add([]byte("GET / HTTP/1.1\r\n"), 0)
	f.Add([]byte("\x16\x03\x01\x00\x00"), 5)
	f.Add([]byte("\x80\x2e\x01"), 1)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, all []byte, cut int) {
		cut = max(0, min(cut, len(all)))
		r := bytes.NewReader(all[cut:])
		b, err := readHello(iotest.OneByteReader(r), all[:cut])
		if !bytes.HasPrefix(all, b) || len(b) > max(helloSize, cut) {
			t.Fatalf("got %q of %q, of which %d bytes were read ahead", b, all, cut)
		}
		whole, wholeErr := readHello(bytes.NewReader(all), nil)
		if !errors.Is(wholeErr, err) && !errors.Is(err, wholeErr) {
			t.Fatalf("%q is %v in one piece and %v cut at %d", all, wholeErr, err, cut)
		}
		if wholeErr == nil && (whole[0] != 22 || whole[1] != 3 || whole[5] != 1) {
			t.Fatalf("%q passes for a ClientHello", whole)
		}
	})
}

// RFC 6614bis §7.4: a connection has some seconds to start its handshake, and the whole
// handshake has some seconds, however slowly the peer sends.
//
// Rules: P112
func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		start := time.Now()
		silent := l.connect()
		readToEnd(silent)
		if d := time.Since(start); !within(d, 3*time.Second) {
			t.Errorf("a silent peer is closed after %v, want 3 s", d)
		}
		if d := drip(l.connect(), helloStart); !within(d, 3*time.Second) {
			t.Errorf("a peer that drips the first bytes of its ClientHello is closed after %v, want 3 s", d)
		}
		// The rest of a ClientHello that comes a byte a second.
		slow := l.connect()
		slow.Write(helloStart)
		if d := drip(slow, append([]byte{0, 0, 252}, make([]byte, 200)...)); !within(d, 10*time.Second) {
			t.Errorf("a peer that drips its ClientHello is closed after %v, want 10 s", d)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="silent"}`, 2)
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="timeout"}`, 1)
		f.wantLine("result=silent", "expected a TLS ClientHello within 3s, got 0 bytes")
	})
}
