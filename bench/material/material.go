// Package material is the certificates of a measurement, as files.
package material

import (
	"crypto/tls"
	"fmt"
	"path/filepath"

	"radsec-gw/certs"
)

// Files are PEM files in one directory.
type Files struct{ CA, ServerCert, ServerKey, ClientCert, ClientKey string }

// clientName names the client's files.
const clientName = "client"

// In names the files in dir, whether they exist or not.
func In(dir string) Files {
	f := func(name string) string { return filepath.Join(dir, name) }
	return Files{f("ca.pem"), f("server.pem"), f("server.key"), f(clientName + ".pem"), f(clientName + ".key")}
}

// Write makes a CA, a server and a client certificate (ECDSA P-256) in dir,
// where they are not there yet.
func Write(dir string) (Files, error) {
	_, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{clientName}})
	return In(dir), err
}

// Client is the load generator's TLS configuration. It offers the key exchanges
// that access points have, so that every relay agrees on the same one: Go's
// own default would make Go relays, and only them, do ML-KEM as well.
func (f Files) Client() (*tls.Config, error) {
	c, err := f.config(f.ClientCert, f.ClientKey)
	if err == nil {
		c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
	}
	return c, err
}

// Server is a relay's TLS configuration: client certificates are required.
func (f Files) Server() (*tls.Config, error) { return f.config(f.ServerCert, f.ServerKey) }

func (f Files) config(certFile, keyFile string) (*tls.Config, error) {
	cert, err := certs.LoadPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("%w (bench certs makes the files)", err)
	}
	ca, err := certs.LoadCA(f.CA)
	if err != nil {
		return nil, err
	}
	pool := ca.Pool()
	return &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "radsec-server", MinVersion: tls.VersionTLS12}, nil
}
