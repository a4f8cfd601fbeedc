package rules

import (
	"net/netip"
	"strconv"
	"strings"
)

// Facts is what the gateway knows about the connection that a request came on. It is
// immutable.
//
// Rule: ID1.
type Facts struct {
	Client        string         // the name of the [[client]]
	Peer, Local   netip.AddrPort // of the connection
	Certificate   CertificateFacts
	TLSVersion    string // "TLS 1.3"
	RADIUSVersion string // "1.0", "1.1"
	Connection    uint64 // number of the connection
}

// CertificateFacts is what the client's certificate says; "" and the zero SANIP are
// names that it does not have. Of several names of a kind it is the first.
type CertificateFacts struct {
	Fingerprint, Serial, Issuer, Subject, CommonName string
	SANDNS, SANURI, SANEmail, SANNAIRealm            string
	SANIP                                            netip.Addr
}

// fact is one of the facts, by its place in factNames.
type fact uint8

const (
	clientName fact = iota
	clientAddress
	clientPort
	listenerAddress
	listenerPort
	certificateFingerprint
	certificateSerial
	certificateIssuer
	certificateSubject
	certificateCommonName
	certificateSANDNS
	certificateSANIP
	certificateSANURI
	certificateSANEmail
	certificateSANNAIRealm
	connectionNumber
	connectionTLSVersion
	connectionRADIUSVersion
	numFacts
)

// factNames holds the names that templates use; read only.
var factNames = [numFacts]string{
	"client.name", "client.address", "client.port",
	"listener.address", "listener.port",
	"certificate.fingerprint", "certificate.serial", "certificate.issuer", "certificate.subject",
	"certificate.common_name", "certificate.san_dns", "certificate.san_ip", "certificate.san_uri",
	"certificate.san_email", "certificate.san_nairealm",
	"connection.number", "connection.tls_version", "connection.radius_version",
}

// factNamed returns the fact with a name, ignoring case.
func factNamed(name string) (fact, bool) {
	for i, n := range factNames {
		if strings.EqualFold(n, name) {
			return fact(i), true
		}
	}
	return 0, false
}

// appendText appends a fact as text; false when it is absent.
func (f *Facts) appendText(b []byte, which fact) ([]byte, bool) {
	if f == nil {
		return b, false
	}
	switch which {
	case clientAddress, listenerAddress, certificateSANIP:
		ip := f.address(which)
		if !ip.IsValid() {
			return b, false
		}
		return ip.AppendTo(b), true
	case clientPort, listenerPort, connectionNumber:
		n, ok := f.number(which)
		if !ok {
			return b, false
		}
		return strconv.AppendUint(b, n, 10), true
	}
	text := f.text(which)
	return append(b, text...), text != ""
}

// text returns a fact that is a text, "" when it is absent.
func (f *Facts) text(which fact) string {
	switch which {
	case clientName:
		return f.Client
	case certificateFingerprint:
		return f.Certificate.Fingerprint
	case certificateSerial:
		return f.Certificate.Serial
	case certificateIssuer:
		return f.Certificate.Issuer
	case certificateSubject:
		return f.Certificate.Subject
	case certificateCommonName:
		return f.Certificate.CommonName
	case certificateSANDNS:
		return f.Certificate.SANDNS
	case certificateSANURI:
		return f.Certificate.SANURI
	case certificateSANEmail:
		return f.Certificate.SANEmail
	case certificateSANNAIRealm:
		return f.Certificate.SANNAIRealm
	case connectionTLSVersion:
		return f.TLSVersion
	case connectionRADIUSVersion:
		return f.RADIUSVersion
	}
	return ""
}

// address returns a fact that is an address, the zero Addr when it is absent or is not
// an address. An IPv4 address inside IPv6 is IPv4.
func (f *Facts) address(which fact) netip.Addr {
	switch {
	case f == nil:
	case which == clientAddress:
		return f.Peer.Addr().Unmap().WithZone("")
	case which == listenerAddress:
		return f.Local.Addr().Unmap().WithZone("")
	case which == certificateSANIP:
		return f.Certificate.SANIP.Unmap().WithZone("")
	}
	return netip.Addr{}
}

// number returns a fact that is a number; false when it is absent or is not a number.
func (f *Facts) number(which fact) (uint64, bool) {
	switch {
	case f == nil:
	case which == clientPort:
		return uint64(f.Peer.Port()), f.Peer.IsValid()
	case which == listenerPort:
		return uint64(f.Local.Port()), f.Local.IsValid()
	case which == connectionNumber:
		return f.Connection, true
	}
	return 0, false
}

func (which fact) isAddress() bool {
	return which == clientAddress || which == listenerAddress || which == certificateSANIP
}

func (which fact) isNumber() bool {
	return which == clientPort || which == listenerPort || which == connectionNumber
}
