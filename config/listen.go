package config

import (
	"crypto/tls"
	"math"
	"net/netip"
	"time"

	"radsec-gw/config/defaults"
)

// Listen is [listen]: the RadSec side.
type Listen struct {
	// IP addresses and TCP ports to listen on. "0.0.0.0:2083" accepts IPv4, "[::]:2083"
	// accepts IPv6, and IPv4 too if no IPv4 address with the same port is listed beside it.
	// Port 0: any free one.
	// Default: ["0.0.0.0:2083"]
	Address []netip.AddrPort // at least one (RFC 6614 §2.1)

	// The gateway's certificate with its intermediates, leaf first, and its private
	// key, each in a PEM file of its own. `radsec-gw certs` makes a pair for development.
	//
	// All PEM files are read strictly: they must consist of whole blocks of the expected
	// kind. A byte order mark, text or comments outside of the blocks, a file that is cut
	// short, a certificate twice in the chain are errors that name the line. LF and CRLF,
	// empty lines and blanks at the ends of lines are allowed.
	// Required.
	Certificate string // path
	// Required.
	PrivateKey string // path

	// What happens when every user of this machine can read a private key or the session
	// ticket keys, those of [metrics] too: "refuse" or "warn". The modes of the file and of the
	// directories above it count; keys that a group can read are accepted. A read-only file
	// system in memory does not count, because Kubernetes, Docker and systemd mount
	// secrets that way. "warn" is for mounts whose modes mean nothing, such as those of Docker Desktop.
	// Default: "refuse"
	ReadableKeys string // ReadableKeysRefuse, ReadableKeysWarn

	// The CA certificates that clients are verified with, PEM. Only these count,
	// never the system's, and for a client with a ca of its own only that. Revocation
	// lists in the file (BEGIN X509 CRL) count like those of crl. The names of all CAs
	// are sent to clients in the handshake, unless they amount to 16,000 bytes. The CA's
	// private key does not belong on this machine: `check` warns of one beside it.
	// Required, unless client_auth is "none".
	ClientCA string // path

	// Files with intermediate certificates, PEM. They are trusted only if a configured CA
	// signed them: they complete the chains of clients that do not send their
	// intermediates, and verify the revocation lists of intermediates.
	// Default: []
	Intermediates []string // paths

	// "require": no connection without a certificate of client_ca.
	// "optional": a certificate is verified when there is one.
	// "none": clients are distinguished by their networks only.
	// Default: "require"
	ClientAuth string // one of ClientAuths

	// The oldest TLS version: "1.2" or "1.3".
	// Default: "1.2"
	MinTLS uint16 // tls.VersionTLS12 or tls.VersionTLS13

	// The cipher suites for TLS 1.2, names as Go prints them, for example
	// "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256". Empty: those with AES-GCM and
	// ChaCha20-Poly1305 (RFC 9325 §4.2). Clients that have neither TLS 1.3 nor one of these
	// need one with AES-CBC here, such as "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA". The suites
	// of TLS 1.3 cannot be chosen.
	// Default: []
	CipherSuites []uint16 // nil: AEADSuites

	// Files with revocation lists (CRL), PEM or DER, and URLs of such, each list signed by a
	// certificate of client_ca, intermediates or a client's ca. A list applies to
	// certificates issued by the key that signed it, also where two issuers have the same
	// name. A client whose certificate, or one of whose intermediates, is revoked is refused,
	// and closed when it is connected. Certificates of an issuer without a list are not
	// checked for revocation; where others have lists, `check` names these issuers. The files
	// are read again when they change.
	//
	// What begins with "http://" is fetched in the background, at most 16 MiB within 30 s: at
	// the start, before the list is out of date, every crl_refresh, and on SIGHUP. No
	// handshake waits for that. Lists are signed, so there is no https; a proxy is not used,
	// whatever the environment says, and at most 3 redirects by http are followed. When
	// fetching fails, or what comes is not a list of a configured CA or is older than the one
	// in use, the last good list stays, and it is tried again after 10 s, later every 10
	// minutes. The log, the status page and radsec_gw_crl_fetches_total say why. `check` does
	// not fetch.
	// Default: []
	CRL []string // paths and URLs

	// A directory where the fetched lists are kept, so that they count from the beginning
	// after a restart, also while their servers are down. It is made when it is missing, must
	// be writable for the gateway's user and belong to one gateway alone: files of URLs that
	// are no longer fetched are removed. A disk that is full or hangs stops nothing.
	// Default: "", none: after a restart there is no list until it is fetched; see crl_stale
	CRLDirectory string // path

	// Lists are fetched at least this often; at least "1m".
	// Default: "1h"
	CRLRefresh time.Duration

	// Whether the lists are fetched, too, whose URLs are in the certificates themselves
	// (cRLDistributionPoints): in those of the configured CAs and intermediates, and in those
	// of clients that have verified; http only. Such a list counts from its arrival on: a
	// client that is revoked is closed then. Where crl_stale is "refuse" a client whose
	// certificate names such a URL is refused until a list of its issuer is there. At most 64
	// URLs are fetched, and remembered in crl_directory; addresses of this machine itself are
	// not asked. The log names each new one.
	// Default: false
	CRLDistributionPoints bool

	// How a list is treated whose next update is overdue. In any case a warning, the status
	// page and radsec_gw_crl_next_update_timestamp_seconds show it. "accept": it still
	// counts. "refuse": no certificate of its issuer is accepted, connections are closed
	// when the list expires, and radsec_gw_crl_issuer_refused shows it. /readyz says that
	// the gateway is not ready only when such lists leave no CA whose clients are accepted.
	//
	// It also says what holds for an issuer without any list while a URL of crl has not
	// delivered one yet, which may be that of this issuer. "accept": its certificates are
	// accepted, unchecked. "refuse": they are refused until the list arrives; after a start
	// from its first moment on, so that with crl_directory nobody is refused who was accepted
	// before, and for a URL that a reload adds once it could not be fetched.
	// Default: "accept"
	CRLStale string // CRLStaleAccept, CRLStaleRefuse

	// Versions of RADIUS to negotiate by ALPN, "radius/1.0" and "radius/1.1" (RFC
	// 9765). RADIUS/1.1 uses neither MD5 nor Identifiers, and requires TLS 1.3; towards the
	// servers it is still RADIUS/1.0, where CoA and Disconnect of such a client always have
	// a Message-Authenticator. With ["1.0", "1.1"] a client gets 1.1 when it offers that
	// with TLS 1.3, else 1.0. With ["1.1"] TLS 1.3 is required, and a client that does not
	// offer 1.1 is refused. A client without ALPN speaks 1.0. An empty array: ALPN is not
	// used, as before RFC 9765.
	// Default: ["1.0", "1.1"]
	RadiusVersions []string // nil: ALPN is not used

	// How long a connection may take to begin its TLS handshake, and to send its PROXY
	// header if it comes from a load balancer of proxy_protocol.
	// Default: "3s"
	SilentTimeout time.Duration // > 0

	// How long a TLS handshake that has begun may take.
	// Default: "10s"
	HandshakeTimeout time.Duration // > 0

	// A connection is closed that has had no request outstanding for this long.
	// Status-Server does not count (RFC 6614bis §3.10). "0s": never. Below "60s" `check`
	// and `serve` warn: a client that sends while its connection is being closed loses the
	// request, and some try again only after 30 s.
	// Default: "10m"
	IdleTimeout time.Duration

	// How long a packet may take to arrive once it has begun.
	// Default: "30s"
	PacketTimeout time.Duration // > 0

	// A connection is closed whose client has read none of its answers for this long.
	// Default: "10s"
	WriteTimeout time.Duration // > 0 (RFC 3539 §2.8)

	// Connections at the same time, all clients together; at least 1. At most half of
	// them may be silent, that is, have not begun a TLS handshake. Where either bound is
	// reached, silent connections are closed for new ones, first the oldest one of the
	// source (IPv4 address or IPv6 /64) that has most. The number is lower when the process
	// may not have so many descriptors (LimitNOFILE=, ulimit -n): then a warning at the
	// start and `radsec-gw check` say how many.
	// Default: 10000
	MaxConnections int // ≥ 1

	// Connections at the same time from one IPv4 address or IPv6 /64, whichever
	// client they are. 0: no limit.
	// Default: 0
	MaxConnectionsPerSource int

	// TLS handshakes at the same time; more wait. While some wait, the source that has
	// most loses handshakes whose peers have not answered for 0.25 s to sources that
	// have fewer, and those that take longer than 1.5 s to any. At least 1.
	// Default: 512
	MaxHandshakes int // ≥ 1

	// A connection is closed after this many packets from the client. 0: no limit.
	// Default: 0
	MaxPacketsPerConnection int

	// Requests of one connection that are not answered yet. More wait unread for a second,
	// and then are dropped and counted under the fate too_many_outstanding. 0: no limit but
	// RADIUS's own, 256 of each kind, and in RADIUS/1.1, which has none, 4096 in all: more
	// are refused at once.
	// Default: 0
	MaxOutstanding int

	// A file with the keys that TLS session tickets are encrypted with, so that a client
	// can resume its session at another gateway: 32 bytes of hex a line; the first
	// encrypts, all decrypt; "#" begins a comment. To change keys, put the new one second
	// everywhere, then first, and remove those older than a week. "openssl rand -hex 32"
	// makes one.
	// Default: none: keys made at random, changed daily, known to this process only
	SessionTicketKeys string // path

	// A file that the secrets of all TLS connections are appended to, for Wireshark ("NSS key
	// log"): whoever reads it can decrypt every connection that was recorded meanwhile. For
	// the search for a fault only; remove the key, request a reload, and delete the file
	// after that. It is created for the gateway's user alone; one that others may read, or
	// that has something else than keys, is refused. No handshake waits for it: what the disk
	// does not take is lost, with an error in the log. radsec_gw_tls_key_log is 1 while it is
	// on.
	// Default: "", none
	KeyLogFile string // path

	// The networks of load balancers that begin each connection with a PROXY header,
	// version 1 or 2, which has the client's address. Connections from there must have one,
	// others must not.
	// Default: []
	ProxyProtocol []netip.Prefix

	// How often the certificates, keys, CA, revocation lists and ticket keys are checked
	// for changes, those of [metrics] too. What has mistakes, such as a file that is half
	// written, is refused with a log line, and the old stays in use; it is tried again when
	// a file changes, and so is a refused SIGHUP as long as this file is unchanged. A good
	// certificate also stays in use when the new one is one that every client refuses
	// (expired, not valid yet, or without serverAuth), or that looks damaged: its signature
	// does not fit the CA whose key it names, where that is in client_ca or intermediates,
	// or it is the one in use with other bytes. A CA or a revocation list that is gone, or
	// older than before, is warned of. This file is read again on SIGHUP only. "0s": all on
	// SIGHUP only.
	// Default: "10s"
	ReloadInterval time.Duration

	// The names of the [[client]]s that are accepted here. Others never match, so the first of
	// these whose conditions all hold counts.
	// Default: [], all
	Clients []string

	// At SIGTERM the gateway accepts no more connections and closes each one as soon as
	// nothing is outstanding on it; after this time, all of them. A second signal ends it
	// at once. "0s": at once.
	// Default: "30s"
	DrainTimeout time.Duration
}

// unlimited is the upper bound of the counts that need none.
const unlimited = math.MaxInt32

func defaultListen() Listen {
	return Listen{
		Address:          []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:2083")},
		ClientAuth:       AuthRequire,
		MinTLS:           tls.VersionTLS12,
		CRLStale:         CRLStaleAccept,
		CRLRefresh:       time.Hour,
		ReadableKeys:     ReadableKeysRefuse,
		RadiusVersions:   []string{"1.0", "1.1"}, // RFC 9765 §3.3
		SilentTimeout:    defaults.SilentTimeout,
		HandshakeTimeout: defaults.HandshakeTimeout,
		IdleTimeout:      10 * time.Minute,
		PacketTimeout:    defaults.PacketTimeout,
		WriteTimeout:     defaults.WriteTimeout,
		MaxConnections:   defaults.MaxConnections,
		MaxHandshakes:    defaults.MaxHandshakes,
		ReloadInterval:   10 * time.Second,
		DrainTimeout:     30 * time.Second,
	}
}

// readListen reads [listen].
func readListen(t *table) Listen {
	l := defaultListen()
	requirePair(t)
	readFront(t, &l)
	t.choice("readable_keys", &l.ReadableKeys, ReadableKeysRefuse, ReadableKeysWarn)
	if t.text("key_log_file", &l.KeyLogFile) && l.KeyLogFile != "" {
		l.KeyLogFile = t.r.resolve(joinKey(t.path, "key_log_file"), l.KeyLogFile)
	}
	readFetching(t, &l)
	t.duration("reload_interval", &l.ReloadInterval, "only on SIGHUP")
	t.duration("drain_timeout", &l.DrainTimeout, "at once")
	t.done()
	return l
}

// readFront reads the keys that [listen] and [[listener]] share.
func readFront(t *table, l *Listen) {
	readAddresses(t, l)
	t.file("certificate", &l.Certificate, MaxCertificates)
	t.file("private_key", &l.PrivateKey, MaxKeys)
	known := t.choice("client_auth", &l.ClientAuth, ClientAuths()...) || !t.has("client_auth")
	_, inListen := t.r.places.of["listen.client_ca"] // where a mistake in it is told
	if known && l.ClientAuth != AuthNone && l.ClientCA == "" && !inListen {
		// RFC 6614 §2.3 (P104): the list of CAs is the operator's own, never the system's.
		t.require("client_ca", "the path of the CA certificates that clients are verified with (PEM)")
	}
	t.file("client_ca", &l.ClientCA, MaxCertificates)
	override(t, "intermediates", &l.Intermediates)
	t.files("intermediates", &l.Intermediates, MaxCertificates)
	minTLS := ""
	if t.choice("min_tls", &minTLS, "1.2", "1.3") {
		l.MinTLS = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[minTLS]
	}
	override(t, "cipher_suites", &l.CipherSuites)
	readCipherSuites(t, l)
	readCRL(t, l)
	readRadiusVersions(t, l)

	t.duration("silent_timeout", &l.SilentTimeout, "")
	t.duration("handshake_timeout", &l.HandshakeTimeout, "")
	t.duration("idle_timeout", &l.IdleTimeout, "never")
	t.duration("packet_timeout", &l.PacketTimeout, "")
	t.duration("write_timeout", &l.WriteTimeout, "")
	t.number("max_connections", &l.MaxConnections, 1, unlimited)
	t.number("max_connections_per_source", &l.MaxConnectionsPerSource, 0, unlimited)
	t.number("max_handshakes", &l.MaxHandshakes, 1, unlimited)
	t.number("max_packets_per_connection", &l.MaxPacketsPerConnection, 0, unlimited)
	t.number("max_outstanding", &l.MaxOutstanding, 0, unlimited)
	t.file("session_ticket_keys", &l.SessionTicketKeys, MaxKeys)
	readProxyProtocol(t, l)
	override(t, "clients", &l.Clients)
	t.texts("clients", func(_, s string) { l.Clients = append(l.Clients, s) })
}

// override empties an array that the table gives, instead of the one of [listen].
func override[T any](t *table, key string, list *[]T) {
	if t.has(key) {
		*list = nil
	}
}

// readProxyProtocol reads the load balancers in front.
func readProxyProtocol(t *table, l *Listen) {
	override(t, "proxy_protocol", &l.ProxyProtocol)
	t.texts("proxy_protocol", func(path, s string) {
		p, err := parseNetwork(s)
		if err != nil {
			t.r.wrong(path, "%v", err)
		}
		l.ProxyProtocol = append(l.ProxyProtocol, p)
	})
}

// readRadiusVersions reads the versions of RFC 9765 to negotiate; an empty array
// is none: no ALPN.
func readRadiusVersions(t *table, l *Listen) {
	const key = "radius_versions"
	if list, ok := t.values[key].([]any); ok && len(list) == 0 {
		t.value(key)
		l.RadiusVersions = nil
		return
	}
	t.choices(key, &l.RadiusVersions, "1.0", "1.1")
}
