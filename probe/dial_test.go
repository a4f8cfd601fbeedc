package probe

import (
	"crypto/tls"
	"io"
	"path/filepath"
	"testing"
	"time"

	"radsec-gw/certs"
)

// The probe shows its certificate also when the gateway names other CAs: the gateway's
// answer says what is wrong then.
func TestProbeShowsACertificateOfAnotherCA(t *testing.T) {
	dir := t.TempDir()
	if _, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := certs.NewCA("other CA")
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: certs.Pool(other.Certificate), ClientAuth: tls.RequestClientCert})
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan int, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			shown <- -1
			return
		}
		defer conn.Close()
		if err := conn.(*tls.Conn).Handshake(); err != nil {
			t.Errorf("the handshake fails: %v", err)
		}
		shown <- len(conn.(*tls.Conn).ConnectionState().PeerCertificates)
	}()
	cfg := Config{
		Kind: Status, Address: l.Addr().String(), CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"), CAFile: filepath.Join(dir, "ca.pem"),
		Secret: "radsec", Timeout: 5 * time.Second,
	}
	Run(t.Context(), cfg, io.Discard)
	l.Close()
	if n := <-shown; n != 1 {
		t.Errorf("the probe shows %d certificates, want its own", n)
	}
}
