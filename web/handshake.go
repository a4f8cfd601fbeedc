package web

import "crypto/tls"

// tlsConfig returns the configuration of TLS with a certificate.
func (s *Server) tlsConfig(own *tls.Certificate, suites []uint16) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: suites,
		SessionTicketsDisabled: true, // few callers come back, and each ticket is work and garbage
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			return nil, s.beginComputing(hello)
		},
		// Once more for the signature: the server may have asked for another ClientHello in
		// between (RFC 8446 §4.1.4).
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return own, s.beginComputing(hello)
		}}
}

// beginComputing waits until few other handshakes are being computed, so that a flood of them
// does not use every processor. The connection's next Write or Read lets another one
// begin.
func (s *Server) beginComputing(hello *tls.ClientHelloInfo) error {
	c, ok := hello.Conn.(*conn)
	if !ok || c.computing.Load() {
		return nil
	}
	select {
	case s.handshakes <- struct{}{}:
		c.computing.Store(true)
	case <-hello.Context().Done():
		return hello.Context().Err()
	}
	s.garbage.collect() // of handshakes before, after which there may have been no request
	return nil
}

// endComputing lets another handshake begin if c is computing one.
func (c *conn) endComputing() {
	if c.computing.CompareAndSwap(true, false) {
		<-c.listener.server.handshakes
	}
}
