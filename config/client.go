package config

import (
	"net/netip"
	"slices"
	"strings"

	"radsec-gw/routing"
)

// Client is one [[client]]: who may connect, and what it may send. All conditions that are
// given must hold; without any, every certificate of the CA matches.
type Client struct {
	// The name in logs and metrics. Unique.
	// Required.
	Name string

	// Source addresses: ranges or single addresses, IPv4 or IPv6.
	// Default: [], any
	Networks []netip.Prefix // masked

	// SHA-256 of the client's certificate, which must be one of these: 32 bytes of hex in
	// either case, with nothing, a colon or blanks between two bytes; "sha256:" may precede
	// them. `radsec-gw certs -fingerprint FILE` prints it.
	// Default: [], any
	Fingerprints [][32]byte // of the certificate's DER

	// A file with one or more CA certificates, PEM, or an array of such files: the path
	// from the client's certificate must pass through one of these certificates, compared
	// byte by byte, anywhere above the client's own. They are trusted for this client
	// only; for a client without ca those of client_ca are. Revocation lists in the files
	// count like those of crl. Unlike issuer, which compares a name that any CA can give,
	// this binds the client to a key.
	// Default: [], any of client_ca
	CA []string // paths

	// Names in the certificate (subjectAltName, dNSName), of which it must have one. "*."
	// matches one whole label, here and in the certificate: a certificate with
	// "*.campus.example" is one for "ap1.campus.example", too, but not for
	// "a.b.campus.example" (RFC 6614bis §3.3.1).
	// Default: [], any
	SANDNS []string // lower case

	// Addresses in the certificate (subjectAltName, iPAddress), of which it must have one.
	// "source" is the address that the connection comes from.
	// Default: [], any
	SANIP SANIP

	// URIs in the certificate (subjectAltName), of which it must have one, compared byte by
	// byte: "URN:Example:ap1" is not "urn:Example:ap1".
	// Default: [], any
	SANURI []string

	// NAI realms in the certificate (subjectAltName, otherName 1.3.6.1.5.5.7.8.8 of RFC
	// 7585 §2.2), ignoring case; the certificate must have one of them. In the certificate
	// "*." matches one whole label.
	// Default: [], any
	SANNAIRealm []string

	// Single attributes of the certificate's subject, of which it must have one, for
	// example "UID=EXAMPLE.ORG" as OpenRoaming has it. The type is a name (CN, O, OU, C,
	// L, ST, DC, UID, serialNumber, …) or an object identifier; the value is compared byte
	// by byte.
	// Default: [], any
	SubjectRDN []string

	// The certificate's whole subject and issuer, as the log prints them, for example
	// "CN=ap1,O=Campus,C=NL".
	// Default: [], any
	Subject []string // in the form of RFC 2253
	// Default: [], any
	Issuer []string // likewise

	// The common name in the subject, ignoring case. "*" matches any characters.
	// Default: [], any
	CommonName []string

	// Certificate policies, of which the certificate must have one, for example
	// "1.3.6.1.4.1.25178.3.1.1".
	// Default: [], any
	PolicyOID []string

	// Instead of a certificate: the identity of a pre-shared key (PSK, RFC 9813) that the client
	// sends in the handshake of DTLS, compared byte by byte, for example "ap17.campus.example".
	// 1..128 bytes of UTF-8. Neither side presents a certificate then, so the client can have no
	// condition on one. It needs transports = ["dtls"], because over TLS a PSK is not supported,
	// and the cipher suite TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256. Give networks, too: from
	// elsewhere its identity is unknown.
	// Default: "", a certificate
	PSKIdentity string

	// Its key, which should be random and no other client's: at least 16 bytes as they are, or
	// with "hex:" before them in hexadecimal form; `openssl rand -hex 32` prints digits for one.
	// At most one of psk, psk_file and psk_env, and only beside psk_identity. A key that is a
	// shared secret of this configuration, too, is a mistake. When it changes, the client's
	// sessions are closed.
	// Default: "", none
	PSK Secret // the bytes themselves, 16..256; empty: none

	// What it may connect by: "tls", at [listen] and at each [[listener]] of that transport,
	// and "dtls", at each [[listener]] of that one. All its limits hold for both together.
	// Default: ["tls"]
	Transports []string // of TransportTLS, TransportDTLS

	// The shared secret. RFC 6614 fixes it to "radsec", and RFC 7360 to "radius/dtls" for
	// sessions of RADIUS/DTLS; change it only for clients that use another. At most one of
	// secret, secret_file (a file that holds it) and secret_env (the name of an environment
	// variable that does). From the last two one end of line is cut off; a byte order mark, a
	// second line, a carriage return or a NUL byte is a mistake. `check` and `serve` warn of
	// blanks at either end, of quotes around it and of control characters, all of which are
	// part of the secret.
	// Default: "radsec", and over DTLS "radius/dtls"
	Secret Secret // never empty (RFC 6614 §2.3)

	// What it may send: "access", "accounting", "coa", "disconnect". The rest is
	// refused. Status-Server is always answered.
	// Default: ["access", "accounting", "coa", "disconnect"]
	Packets []string // at least one, no doubles

	// Which realms it may send, in the forms of realms in [[route]]. The realm is the one
	// that requests are routed by: that of the User-Name, of CoA and Disconnect that of the
	// Operator-Name. Requests of others are refused as on_unroutable says, with
	// Error-Cause 502, and counted under the fate realm_not_allowed. Requests without a realm
	// need "". Accounting-On and Accounting-Off without User-Name concern no user and are
	// always allowed; CoA and Disconnect whose Operator-Name is not a realm need operators.
	// Default: [], all
	Realms []string

	// Beside realms: which Operator-Names that are not realms it may send in CoA and
	// Disconnect, in the forms of operators in [[route]].
	// Default: [], none where realms are given
	Operators []string

	// Which requests must have a Message-Authenticator: "never", "access" (each
	// Access-Request) or "all" (CoA-Request and Disconnect-Request too). One that is
	// present is verified in any case.
	// Default: "never", because TLS protects the packet already
	RequireMessageAuthenticator string // RequireNever, RequireAccess, RequireAll

	// Whether an Access-Request with EAP-Message must have a Message-Authenticator (RFC
	// 3579 §3.2). Set false only for clients that are known to be broken.
	// Default: true
	RequireEAPMessageAuthenticator bool

	// Whether the Request Authenticator of accounting, CoA and Disconnect is verified (RFC
	// 2866 §3). Set false only for clients that are known to compute it wrongly.
	// Default: true
	VerifyRequestAuthenticator bool // RFC 2866 §3, RFC 5176 §2.3

	// Connections of this client at the same time. 0: only listen.max_connections.
	// Default: 100
	MaxConnections int

	// What this client may send in a second, on all its connections together; the amount of
	// one second may arrive at once. What exceeds it waits unread for a second, and then is
	// dropped (in RADIUS/1.1: answered with a Protocol-Error) and counted under the fate
	// rate_limited. 0: no limit.
	// Default: 0
	PacketsPerSecond int
	// Default: 0
	OctetsPerSecond int

	// Whether a CoA-Request or Disconnect-Request must come from the address of a server
	// that an Access-Request for the user's realm would go to. "off": no; "drop": others
	// are dropped silently (RFC 5176 §6.1); "nak": others are answered with Error-Cause 502
	// (RFC 8559 §4.3.1). A server given by host name has the addresses of the last look-up
	// of its name.
	// Default: "off"
	ReversePath string // one of ReversePaths

	// Names of [[rule]] that change its requests, before they are routed, so that
	// they can give or take a realm. They are applied in the order of the file.
	// Default: []
	RulesRequest []string // names of rules, no doubles

	// Names of [[rule]] that change the replies to it, after those of the server
	// and the route.
	// Default: []
	RulesReply []string // likewise

	// Whether it is sent the CoA and Disconnect that are for its NASes, on the connections that
	// it has opened; [dynamic_authorization] says where they come from. Set true only for
	// clients that expect such requests there. It holds for the client, from whatever address
	// it connects. A request for a client with false gets a NAK with Error-Cause 502, and is
	// logged. With true, idle_timeout does not close the last connection of a device: of those
	// with one certificate from one address; over DTLS only if nothing at all arrives for that
	// time, not even a Status-Server.
	// Default: false
	ReverseCoA bool

	// The names of NASes that this client is known to have before it has sent any request: the
	// values of NAS-Identifier or Operator-NAS-Identifier, compared byte by byte. Others are
	// learned from its requests. Only with reverse_coa = true.
	// Default: []
	NASIdentifier []string // 1..253 bytes, no doubles

	// The Operator-Names (RFC 5580 §4.1) of this client, for CoA and Disconnect that name no
	// NAS: a realm ("example.org"), "*." before the realm that others are below
	// ("*.example.org"), or another name in the forms of operators in [[route]]
	// ("wbaid:EXAMPLE:US", "wbaid:*"), ignoring case. Several clients may have the same. Only
	// with reverse_coa = true.
	// Default: []
	OperatorName []string // no doubles

	// Names of [[rule]] that change the CoA and Disconnect that it is sent. They are applied
	// in the order of the file. Only with reverse_coa = true.
	// Default: []
	RulesReverseRequest []string // names of rules, no doubles

	// Names of [[rule]] that change its answers to them. Only with reverse_coa = true.
	// Default: []
	RulesReverseReply []string // likewise

	// The local address that its requests are sent to the servers from, so that a server which
	// knows access points by their address sees one for each client. This machine must have
	// it; on Linux it has all of 127.0.0.0/8. Health checks are sent from the gateway's own
	// address, and speak for all sources. A request is never sent from another address: if
	// this one cannot be used, it is refused and counted under the fate no_source.
	// "": the server's source.
	// Default: ""
	Source netip.Addr // the zero Addr: none

	// Instead of source: a range of local addresses, of which each certificate of this client
	// has one. It is computed from the certificate (see source_from), and so is the same after
	// a restart and at every replica. Two certificates may happen to have the same address:
	// `radsec-gw check -clients` with their files lists them, and while one is connected the
	// other's requests are refused. Make the range large: with 65536 addresses 1000
	// certificates have about eight such pairs, with an IPv6 prefix of 64 bits none.
	// Example: "127.1.0.0/16"
	// Default: ""
	SourcePool netip.Prefix // the zero Prefix: none

	// What the address in source_pool is computed from: "san", the first name in the
	// certificate (subjectAltName: a DNS name, else a URI, an IP address, an e-mail
	// address), which a new certificate for the same device usually has, too; or "serial", its
	// issuer and serial number. A certificate without any name has the address of its serial.
	// Default: "san"
	SourceFrom string // SourceFromSAN, SourceFromSerial

	// The secret that this client's requests have with the servers, which must know it for the
	// client's source; it goes with source or source_pool. At most one of server_secret,
	// server_secret_file and server_secret_env.
	// Default: the secret of the [[server]]
	ServerSecret Secret // may be empty
}

// Values of Client.SourceFrom.
const (
	SourceFromSAN    = "san"
	SourceFromSerial = "serial"
)

// ByCertificate reports whether any condition is on the certificate.
func (cl *Client) ByCertificate() bool {
	return cl.SANIP.Source || len(cl.Fingerprints)+len(cl.SANDNS)+len(cl.SANIP.Addresses)+len(cl.SANURI)+
		len(cl.Subject)+len(cl.Issuer)+len(cl.CommonName)+len(cl.PolicyOID)+len(cl.CA)+len(cl.SANNAIRealm)+len(cl.SubjectRDN) > 0
}

// SANIP is what a client's certificate must have as SAN iPAddress.
type SANIP struct {
	Source    bool         // the address that the connection comes from
	Addresses []netip.Addr // or one of these
}

// Values of Client.RequireMessageAuthenticator.
const (
	RequireNever  = "never"
	RequireAccess = "access" // in Access-Request
	RequireAll    = "all"    // in Access-, CoA- and Disconnect-Request; an Accounting-Request need not have one (RFC 3579 §3.3)
)

// Values of Client.ReversePath.
const (
	ReversePathOff  = "off"
	ReversePathDrop = "drop" // silence (RFC 5176 §6.1)
	ReversePathNAK  = "nak"  // a NAK with Error-Cause 502 (RFC 8559 §4.3.1)
)

// ReversePaths returns the values of Client.ReversePath.
func ReversePaths() []string {
	return []string{ReversePathOff, ReversePathDrop, ReversePathNAK}
}

// publicSecret is the secret of every RADIUS/TLS connection (RFC 6614 §2.3 (4)), which is
// public.
const publicSecret = "radsec"

// publicSecretDTLS is the secret of every RADIUS/DTLS session (RFC 7360 §2.1).
const publicSecretDTLS = "radius/dtls"

// The transports of [[listener]] and [[client]].
const (
	TransportTLS  = "tls"  // RADIUS/TLS over TCP (RFC 6614)
	TransportDTLS = "dtls" // RADIUS/DTLS over UDP (RFC 7360)
)

// SecretOver returns the secret of the ith client on sessions of a transport.
func (c *Config) SecretOver(i int, transport string) Secret {
	given := func(key string) bool { return c.given(joinKey(joinIndex("client", i), key)) }
	if transport == TransportDTLS && !given("secret") && !given("secret_file") && !given("secret_env") {
		return NewSecret(publicSecretDTLS)
	}
	return c.Clients[i].Secret
}

func defaultClient() Client {
	return Client{
		Secret:                         NewSecret(publicSecret),
		Transports:                     []string{TransportTLS},
		Packets:                        []string{PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect},
		RequireMessageAuthenticator:    RequireNever,
		RequireEAPMessageAuthenticator: true,
		VerifyRequestAuthenticator:     true,
		MaxConnections:                 100,
		ReversePath:                    ReversePathOff,
		SourceFrom:                     SourceFromSAN,
	}
}

// readClient reads one [[client]].
func readClient(t *table) Client {
	c := defaultClient()
	readName(t, &c.Name)
	t.texts("networks", func(path, s string) {
		p, err := parseNetwork(s)
		if err != nil {
			t.r.wrong(path, "%v", err)
		}
		c.Networks = append(c.Networks, p)
	})
	t.texts("fingerprints", func(path, s string) {
		sum, err := parseFingerprint(s)
		if err != nil {
			t.r.wrong(path, "%v", err)
		}
		c.Fingerprints = append(c.Fingerprints, sum)
	})
	t.texts("san_dns", func(path, s string) {
		if err := checkDNSPattern(s); err != nil {
			t.r.wrong(path, "%v", err)
		}
		c.SANDNS = append(c.SANDNS, strings.ToLower(strings.TrimSuffix(s, ".")))
	})
	t.fileOrFiles("ca", &c.CA, MaxCertificates)
	readNames(t, &c)
	t.choices("transports", &c.Transports, TransportTLS, TransportDTLS)
	t.secret("secret", &c.Secret, false)
	t.choices("packets", &c.Packets, PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect)
	t.texts("realms", func(path, s string) {
		same := func(other string) bool { return routing.Key(s) == routing.Key(other) }
		if err := routing.CheckRealm(s); err != nil {
			t.r.wrong(path, "%v", err)
		} else if slices.ContainsFunc(c.Realms, same) {
			t.r.wrong(path, "%q is listed twice: remove one", s)
		}
		c.Realms = append(c.Realms, s)
	})
	t.texts("operators", func(_, s string) { c.Operators = append(c.Operators, s) })
	if len(c.Operators) > 0 && len(c.Realms) == 0 {
		t.r.wrong(joinKey(t.path, "operators"), "expected realms beside it: a client without realms may send all")
	}
	t.choice("require_message_authenticator", &c.RequireMessageAuthenticator, RequireNever, RequireAccess, RequireAll)
	t.flag("require_eap_message_authenticator", &c.RequireEAPMessageAuthenticator)
	t.flag("verify_request_authenticator", &c.VerifyRequestAuthenticator)
	t.number("max_connections", &c.MaxConnections, 0, unlimited)
	t.number("packets_per_second", &c.PacketsPerSecond, 0, unlimited)
	t.number("octets_per_second", &c.OctetsPerSecond, 0, unlimited)
	t.choice("reverse_path", &c.ReversePath, ReversePaths()...)
	readRuleNames(t, "rules_request", &c.RulesRequest)
	readRuleNames(t, "rules_reply", &c.RulesReply)
	readReverse(t, &c)
	readPSK(t, &c)
	readClientSource(t, &c)
	t.done()
	return c
}

// readName reads the required name of a client or a server.
func readName(t *table, to *string) {
	t.require("name", "a name for logs and metrics")
	if t.text("name", to) {
		if err := checkName(*to); err != nil {
			t.r.wrong(joinKey(t.path, "name"), "%v", err)
		}
	}
}
