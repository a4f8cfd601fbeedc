package config

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"radsec-gw/config/defaults"
	"time"
)

// Reading starts from these values and replaces what a file names, so that an
// explicit zero is never mistaken for a missing key. The numbers that other packages
// need for a field that is zero are in package defaults.

func defaultListen() Listen {
	return Listen{
		Address:          []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:2083")},
		ClientAuth:       AuthRequire,
		MinTLS:           tls.VersionTLS12,
		CRLStale:         CRLStaleAccept,
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
		MaxSockets:                  defaults.MaxSockets,
		ResolveInterval:             30 * time.Second,
		SuspectAfter:                defaults.SuspectAfter,
		FailingAfter:                defaults.FailingAfter,
		WatchdogInterval:            defaults.WatchdogInterval,
		ProbeInterval:               defaults.ProbeInterval,
		DownAfter:                   defaults.DownAfter,
		UpAfter:                     defaults.UpAfter,
		RetransmitInitial:           defaults.RetransmitInitial,
		RetransmitMax:               defaults.RetransmitMax,
		RetransmitCount:             defaults.RetransmitCount,
		RetransmitDuration:          defaults.RetransmitDuration,
	}
}

func defaultRoute() Route {
	return Route{
		Packets:       []string{PacketAccess, PacketAccounting},
		Balance:       BalanceFailover,
		MoveOnAfter:   defaults.MoveOnAfter,
		Patience:      defaults.Patience,
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
