package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"radsec-gw/certs"
)

// Run ends with all its goroutines.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testCertificates makes a CA, and certificates of a server and a client.
func testCertificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run sends what cfg says to address with the certificates of dir. said is the transcript and,
// in a line after it, the error.
func run(dir, address string, cfg Config) (r *Result, said string, err error) {
	var b bytes.Buffer
	cfg.Address = address
	cfg.CAFile, cfg.CertFile, cfg.KeyFile = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	r, err = Run(context.Background(), cfg, &b)
	if err != nil {
		b.WriteString(err.Error() + "\n")
	}
	return r, b.String(), err
}

// checkTranscript fails t if said lacks one of want or shows the password.
func checkTranscript(t *testing.T, said string, want []string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(said, w) {
			t.Errorf("the transcript lacks %q", w)
		}
	}
	if strings.Contains(said, "hello") {
		t.Error("the transcript shows the password")
	}
	if t.Failed() {
		t.Log(said)
	}
}

// answerOnce is a RadSec server for one connection, which agrees to one of protocols: it hands the
// request to answer and sends what that returns; nil closes the connection. It stops before the
// test does.
func answerOnce(t *testing.T, dir string, answer func(request []byte) []byte, protocols ...string) (address string) {
	t.Helper()
	pair, err := certs.LoadPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := certs.LoadCA(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: ca.Pool(),
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12, NextProtos: protocols})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, err := ReadPacket(conn)
		if err != nil {
			return
		}
		reply := answer(request)
		if reply == nil {
			return
		}
		conn.Write(reply)
		io.Copy(io.Discard, conn) // until the client closes
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
