package config

// Tap is [tap].
type Tap struct {
	// The Unix socket that radsec-gw tap connects to, for this user and root only. If it is
	// removed it is made again within reload_interval, or on SIGHUP. "": none.
	// Default: "/run/radsec-gw/tap.sock"
	Socket string // path
}

// DefaultTapSocket is where the gateway listens for taps, and where radsec-gw tap connects.
const DefaultTapSocket = "/run/radsec-gw/tap.sock"

func defaultTap() Tap { return Tap{Socket: DefaultTapSocket} }

// readTap reads [tap].
func readTap(t *table) Tap {
	p := defaultTap()
	if t.text("socket", &p.Socket) {
		p.Socket = t.r.resolve(joinKey(t.path, "socket"), p.Socket)
		if len(p.Socket) > 100 { // sun_path of unix(7) has 108 bytes, and a name beside it is needed for a moment
			t.r.wrong(joinKey(t.path, "socket"), "expected a path of at most 100 bytes, got %d", len(p.Socket))
		}
	}
	t.done()
	return p
}
