package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// A renewed certificate of [metrics] is taken up when its files change, as that of [listen] is; a pair
// that does not match yet is not.
//
// Fault S6.
func TestRenewedCertificateOfMetricsIsTakenUp(t *testing.T) {
	dir, file := gatewaytest.Dir(t, strings.NewReplacer("[metrics]\n", "[metrics]\ncertificate = \"web.pem\"\nprivate_key = \"web.key\"\n").Replace(gatewaytest.Config(1812)))
	ca, err := certs.NewCA("HTTP")
	if err != nil {
		t.Fatal(err)
	}
	// renew makes a new pair, and writes its certificate or all of it.
	renew := func(whole bool) *certs.Pair {
		t.Helper()
		pair, err := ca.Server([]string{"127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		key, err := pair.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		gatewaytest.WriteFile(t, filepath.Join(dir, "web.pem"), pair.CertPEM())
		if whole {
			gatewaytest.WriteFile(t, filepath.Join(dir, "web.key"), key)
		}
		return pair
	}
	first := renew(true)
	ctx, cancel := context.WithCancel(t.Context())
	gw, err := Start(ctx, planOf(t, file), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	defer gw.Wait()
	defer cancel()
	presented := func(want *certs.Pair) {
		t.Helper()
		c, err := tls.Dial("tcp", gw.MetricsAddr().String(), &tls.Config{RootCAs: certs.Pool(ca.Certificate), ServerName: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.ConnectionState().PeerCertificates[0]; !got.Equal(want.Certificate) {
			t.Errorf("presents the certificate %x, want %x", got.SerialNumber, want.Certificate.SerialNumber)
		}
	}
	presented(first)
	renew(false)
	if err := gw.reloadFiles(); err == nil {
		t.Error("a certificate without its key was taken up")
	}
	presented(first)
	second := renew(true)
	if err := gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	presented(second)
}
