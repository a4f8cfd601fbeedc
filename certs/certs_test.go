package certs

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// handshake does a handshake of a client and a server over a pipe.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan error, 1)
	go func() {
		err := tls.Server(a, server).Handshake()
		if err != nil {
			a.Close()
		}
		done <- err
	}()
	conn := tls.Client(b, client)
	clientErr = conn.Handshake()
	if clientErr == nil { // in TLS 1.3 the server's refusal follows
		go conn.Read(make([]byte, 1))
	} else {
		b.Close()
	}
	return <-done, clientErr
}

// A server and a client of the same CA accept each other; all others are refused.
func TestHandshake(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	pair := func(p *Pair, err error) tls.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key}
	}
	server := pair(ca.Server(DevelopmentHosts()))
	client := pair(ca.Client("campus"))
	pool := (&Authorities{Certificates: []*x509.Certificate{ca.Certificate}}).Pool()
	for _, x := range []struct {
		name   string
		client tls.Certificate
		host   string
		server tls.Certificate
		want   string // "": both accept; else part of the error of the side that refuses
	}{
		{"by name", client, "localhost", server, ""},
		{"by container name", client, "radsec-server", server, ""},
		{"by IPv4", client, "127.0.0.1", server, ""},
		{"by IPv6", client, "::1", server, ""},
		{"another host", client, "example.org", server, "not example.org"},
		{"client of another CA", pair(other.Client("campus")), "localhost", server, "unknown authority"},
		{"server of another CA", client, "localhost", pair(other.Server([]string{"localhost"})), "unknown authority"},
		{"expired client", pair(ca.Client("late", validFor(-time.Minute))), "localhost", server, "expired"},
		{"server's certificate as a client", server, "localhost", server, "incompatible key usage"},
		{"client's certificate as a server", client, "campus", client, "incompatible key usage"},
	} {
		s, c := handshake(t,
			&tls.Config{Certificates: []tls.Certificate{x.server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool},
			&tls.Config{Certificates: []tls.Certificate{x.client}, RootCAs: pool, ServerName: x.host})
		got := ""
		for _, err := range []error{s, c} {
			if err != nil {
				got += err.Error() + "; "
			}
		}
		if x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: expected %q, got %q", x.name, x.want, got)
		}
	}
}

// The fields of each certificate, and the effect of a Change.
func TestFields(t *testing.T) {
	ca := newCA(t)
	server, err := ca.Server([]string{"gw.example", "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	odd, err := ca.Client("odd", func(c *x509.Certificate) {
		c.DNSNames, c.URIs = nil, []*url.URL{{Scheme: "https", Host: "odd.example"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := ca.Certificate
	if !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || !c.MaxPathLenZero {
		t.Errorf("the CA's certificate is not a CA: %+v", c)
	}
	s := server.Certificate
	if s.KeyUsage != x509.KeyUsageDigitalSignature || len(s.ExtKeyUsage) != 1 || s.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || s.IsCA {
		t.Errorf("the server's certificate has the key usages %v %v", s.KeyUsage, s.ExtKeyUsage)
	}
	if len(s.DNSNames) != 1 || s.DNSNames[0] != "gw.example" || len(s.IPAddresses) != 1 || s.IPAddresses[0].String() != "192.0.2.1" {
		t.Errorf("the server's certificate is for %v %v", s.DNSNames, s.IPAddresses)
	}
	if o := odd.Certificate; len(o.DNSNames) != 0 || len(o.URIs) != 1 || o.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("the changed certificate is for %v %v", o.DNSNames, o.URIs)
	}
	if s.PublicKey.(*ecdsa.PublicKey).Curve.Params().Name != "P-256" {
		t.Error("the server's key is not on P-256")
	}
	short := newCA(t, validFor(time.Hour))
	if p, err := short.Client("c"); err != nil || p.Certificate.NotAfter.After(short.Certificate.NotAfter) {
		t.Errorf("a certificate outlives its CA: %v", err)
	}
}

func TestFormatFingerprint(t *testing.T) {
	var sum [32]byte
	sum[0], sum[31] = 0xab, 0x01
	got := FormatFingerprint(sum)
	back, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(got, "sha256:"), ":", ""))
	if err != nil || [32]byte(back) != sum || !strings.HasPrefix(got, "sha256:AB:00:") || !strings.HasSuffix(got, ":01") {
		t.Errorf("the fingerprint is printed as %s", got)
	}
}

// validFor makes a certificate valid for d from now: certstest.Valid, which this package
// cannot import.
func validFor(d time.Duration) Change {
	return func(t *x509.Certificate) { t.NotAfter = time.Now().Add(d) }
}
