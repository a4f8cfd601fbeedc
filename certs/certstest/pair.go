package certstest

import (
	"crypto/tls"
	"crypto/x509"

	"radsec-gw/certs"
)

// TLS returns a pair in the form of crypto/tls.
func TLS(p *certs.Pair) tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key, Leaf: p.Certificate}
}

// Pool returns a pool of the CA alone.
func Pool(ca *certs.CA) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Certificate)
	return pool
}
