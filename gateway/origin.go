package gateway

import (
	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/relay"
	"radsec-gw/rules"
	"radsec-gw/sessions"
)

// originOf returns where a session of a client comes from.
func originOf(s sessions.Conn, transport string) relay.Origin {
	return relay.Origin{
		DTLS:  transport == config.TransportDTLS,
		Facts: func() *rules.Facts { return factsOf(s) },
		SourceKey: func(bySerial bool) []byte {
			leaf, _ := s.Security()
			return sourceKey(identity.FactsOf(leaf), bySerial)
		},
	}
}

// factsOf returns what attribute rules can say about a session (ID1).
func factsOf(s sessions.Conn) *rules.Facts {
	leaf, version := s.Security()
	c := identity.FactsOf(leaf)
	radius := "1.0"
	if s.Version11() {
		radius = "1.1"
	}
	return &rules.Facts{
		Client: s.Client().Name, Peer: s.RemoteAddr(), Local: s.LocalAddr(),
		Certificate: CertificateFacts(&c),
		TLSVersion:  version, RADIUSVersion: radius, Connection: s.Number(),
	}
}

// CertificateFacts returns the facts of a certificate as attribute rules take them.
func CertificateFacts(f *identity.Facts) rules.CertificateFacts {
	return rules.CertificateFacts{
		Fingerprint: f.Fingerprint, Serial: f.Serial, Issuer: f.Issuer, Subject: f.Subject, CommonName: f.CommonName,
		SANDNS: f.SANDNS, SANIP: f.SANIP, SANURI: f.SANURI, SANEmail: f.SANEmail, SANNAIRealm: f.SANNAIRealm,
	}
}
