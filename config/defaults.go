package config

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"
)

// Reading starts from these values and replaces what a file names, so that an
// explicit zero is never mistaken for a missing key.

func defaultListen() Listen {
	return Listen{
		Address:          []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:2083")},
		ClientAuth:       AuthRequire,
		MinTLS:           tls.VersionTLS12,
		CRLStale:         CRLStaleAccept,
		RadiusVersions:   []string{"1.0", "1.1"}, // RFC 9765 §3.3
		SilentTimeout:    3 * time.Second,
		HandshakeTimeout: 10 * time.Second,
		IdleTimeout:      10 * time.Minute,
		PacketTimeout:    30 * time.Second,
		WriteTimeout:     10 * time.Second,
		MaxConnections:   10000,
		MaxHandshakes:    512,
		ReloadInterval:   10 * time.Second,
		DrainTimeout:     30 * time.Second,
	}
}

func defaultClient() Client {
	return Client{
		Secret:                         NewSecret(publicSecret),
		Packets:                        []string{PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect},
		RequireMessageAuthenticator:    RequireNever,
		RequireEAPMessageAuthenticator: true,
		VerifyRequestAuthenticator:     true,
		MaxConnections:                 100,
		ReversePath:                    ReversePathOff,
	}
}

func defaultServer() Server {
	return Server{
		AuthPort:                    1812,
		AcctPort:                    1813,
		CoAPort:                     3799,
		RequireMessageAuthenticator: true,
		Health:                      HealthStatusServer,
		MaxSockets:                  64,
		ResolveInterval:             30 * time.Second,
		SuspectAfter:                3,
		FailingAfter:                5,
		WatchdogInterval:            30 * time.Second, // Tw of RFC 3539 §3.4.1
		ProbeInterval:               3 * time.Second,
		DownAfter:                   3,
		UpAfter:                     3,
		// The values of RFC 5080 §2.2.1: without jitter the transmissions leave
		// at 0, 2, 6 and 14 s, and the request fails at 30 s.
		RetransmitInitial:  2 * time.Second,
		RetransmitMax:      16 * time.Second,
		RetransmitCount:    5,
		RetransmitDuration: 30 * time.Second,
	}
}

func defaultRoute() Route {
	return Route{
		Packets:       []string{PacketAccess, PacketAccounting},
		Balance:       BalanceFailover,
		MoveOnAfter:   2,
		Patience:      10 * time.Second,
		OnUnreachable: AnswerReject,
	}
}

func defaultRouting() Routing {
	return Routing{RealmFormats: []string{FormatSuffix}, LoopMarker: true, OnUnroutable: AnswerReject, CoAByUserName: true, EventTimestampWindow: 300 * time.Second, ReplyEventTimestamp: ReplyAccept}
}

func defaultMetrics() Metrics { return Metrics{Address: "127.0.0.1:9713"} }

func defaultLog() Log {
	return Log{Level: slog.LevelInfo, Format: "text", User: ShowHash, Station: ShowHash}
}

// DefaultTapSocket is where the gateway waits for taps, and radsec-gw tap looks for it.
const DefaultTapSocket = "/run/radsec-gw/tap.sock"

func defaultTap() Tap { return Tap{Socket: DefaultTapSocket} }

// publicSecret is the one that everybody knows (RFC 6614 §2.3 (4)).
const publicSecret = "radsec"
