package config

import (
	"slices"
	"time"
)

// Spool is [spool]: how accounting is kept that no server has yet, for routes with Spool.
type Spool struct {
	// The directory for the records, which are lost with it: keep it on a disk that outlives a
	// restart, and in a container on a volume. With store = "jetstream" the records are
	// elsewhere, and it has those that this gateway has set aside (set-aside.detail), and the
	// socket of radsec-gw spool (control.sock). It is made when it is missing, must be writable
	// for the gateway's user and belong to one gateway alone. A change takes effect at a
	// restart, not at a reload.
	// Default: "/var/lib/radsec-gw/spool"
	Directory string // path, not empty

	// Where the records are. "file": in a file in directory. "jetstream": in a stream of the
	// NATS servers of [cluster], which must have JetStream, named like prefix there with "-spool"
	// behind it and "-" for each dot: all gateways with the same prefix share it, so that
	// records survive the loss of a gateway's machine, and another gateway sends them. A change
	// takes effect at a restart, not at a reload: records stay where they are.
	// Default: "file"
	Store string // SpoolStoreFile, SpoolStoreJetStream

	// With store = "jetstream": on how many NATS servers the stream and its bucket are when a
	// gateway makes them; what exists is changed by nats stream edit. With 3 one of the servers
	// may be lost; with 1 the records are lost with its disk. At least as many servers must
	// run. From 1 to 5. A change takes effect at a restart.
	// Default: 3
	Replicas int // 1..5

	// The most that the records may take together, with store = "jetstream" those of all
	// gateways: an integer of bytes, or a string such as "512MiB" (512 × 1,048,576 bytes) or
	// "100MB" (100 × 1,000,000). From "1MiB" to "1TiB". What arrives while the spool is full is
	// not stored and gets no acknowledgement, which is counted and logged; the same holds for
	// max_records.
	// Default: "1GiB"
	MaxOctets int64 // 1 MiB..1 TiB

	// The most records, with store = "jetstream" those of all gateways. Each also takes about 225
	// bytes of memory, with store = "jetstream" in every gateway. From 1 to 10,000,000.
	// Default: 1000000
	MaxRecords int // 1..10,000,000

	// Records that are older are dropped, which is counted and logged: no server gets them. From
	// "1m" to "3650d".
	// Default: "7d"
	MaxAge time.Duration // 1m..3650d

	// How many records a second are sent to the servers of each route, by all gateways together
	// with store = "jetstream", beside what clients send at the same time, so that a server that
	// has just recovered can keep up. From 1 to 100,000.
	// Default: 200
	ReplayRate int // 1..100,000

	// How many records at most wait for an answer of the servers of each route at the same
	// time. From 1 to 1024.
	// Default: 32
	ReplayWindow int // 1..1024

	// How often a record is sent that a server leaves unanswered while it answers others. It is
	// set aside then, in a file that people can read, in directory of the gateway that sent it,
	// and the others go on; it can be sent again from there. A server that answers nothing is
	// waited for instead. The count begins anew with a restart, and when another gateway begins
	// to send. From 1 to 1000.
	// Default: 10
	Attempts int // 1..1000

	// Whether a newer Interim-Update or Stop of a session replaces the older Interim-Updates of
	// it that are still in the spool: there is less to send, and the servers do not learn how the
	// session went in between.
	// Default: false
	ReplaceInterims bool
}

// Bounds of [spool], and of Route.SpoolAfter.
const (
	leastSpoolOctets = 1 << 20
	mostSpoolOctets  = 1 << 40
	mostSpoolRecords = 10_000_000
	shortestSpoolAge = time.Minute
	longestSpoolAge  = 3650 * day // Acct-Delay-Time has 32 bits of seconds, which are 136 years
	mostReplayRate   = 100_000
	mostReplayWindow = 1024
	mostAttempts     = 1000
	mostReplicas     = 5 // of JetStream

	shortestSpoolAfter = 100 * time.Millisecond
	longestSpoolAfter  = time.Minute
)

// defaultSpoolAfter is the default of Route.SpoolAfter. It leaves 3 s for the answer to the second
// transmission, and is far below the 15 s or more after which most clients give up.
const defaultSpoolAfter = 5 * time.Second

// Values of Spool.Store.
const (
	SpoolStoreFile      = "file"
	SpoolStoreJetStream = "jetstream"
)

func defaultSpool() Spool {
	return Spool{
		Directory:    "/var/lib/radsec-gw/spool",
		Store:        SpoolStoreFile,
		Replicas:     3, // one may be lost
		MaxOctets:    1 << 30,
		MaxRecords:   1_000_000, // about 225 MB of memory
		MaxAge:       7 * day,
		ReplayRate:   200, // an hour's records of 100 a second take half an hour
		ReplayWindow: 32,  // with answers after 160 ms these are 200 a second
		Attempts:     10,
	}
}

// readSpool reads [spool].
func readSpool(t *table) Spool {
	s := defaultSpool()
	if t.text("directory", &s.Directory) {
		at := joinKey(t.path, "directory")
		if s.Directory == "" {
			t.r.wrong(at, "expected the path of a directory, got an empty string: to store nothing, remove spool = true from each [[route]]")
		}
		s.Directory = t.r.resolve(at, s.Directory)
	}
	t.choice("store", &s.Store, SpoolStoreFile, SpoolStoreJetStream)
	t.number("replicas", &s.Replicas, 1, mostReplicas)
	t.size("max_octets", &s.MaxOctets, leastSpoolOctets, mostSpoolOctets)
	t.number("max_records", &s.MaxRecords, 1, mostSpoolRecords)
	if t.duration("max_age", &s.MaxAge, "") && (s.MaxAge < shortestSpoolAge || s.MaxAge > longestSpoolAge) {
		t.r.wrong(joinKey(t.path, "max_age"), `expected a duration from "1m" to "3650d", got %q`, t.values["max_age"])
	}
	t.number("replay_rate", &s.ReplayRate, 1, mostReplayRate)
	t.number("replay_window", &s.ReplayWindow, 1, mostReplayWindow)
	t.number("attempts", &s.Attempts, 1, mostAttempts)
	t.flag("replace_interims", &s.ReplaceInterims)
	t.done()
	return s
}

// readSpooling reads whether the accounting of a route is stored, and when. Its other keys
// that say what becomes of accounting were read before.
func (r *Route) readSpooling(t *table) {
	t.flag("spool", &r.Spool)
	if t.duration("spool_after", &r.SpoolAfter, "") && (r.SpoolAfter < shortestSpoolAfter || r.SpoolAfter > longestSpoolAfter) {
		t.r.wrong(joinKey(t.path, "spool_after"), `expected a duration from "100ms" to "1m", got %q`, t.values["spool_after"])
	}
	if !r.Spool {
		return
	}
	at := joinKey(t.path, "spool")
	switch list, given := t.values["servers"].([]any); {
	case r.Packets != nil && !slices.Contains(r.Packets, PacketAccounting):
		t.r.wrong(at, "expected \"accounting\" in packets, got %q: the route takes no accounting that could be stored; add it, or remove this key", r.Packets)
	case r.Accounting == AccountingAnswer:
		t.r.wrong(at, "expected accounting = \"relay\", got \"answer\": the gateway acknowledges the accounting of this route, and no server is to get it; remove one of the two keys")
	case given && len(list) == 0:
		t.r.wrong(at, "expected a server in servers, got an empty array: accounting would be refused, and nothing could be stored; name one, or remove this key")
	}
}

// checkStore notes a spool in JetStream without NATS servers.
func checkStore(r *reader, root *table, c *Config) {
	if c.Spool.Store == SpoolStoreJetStream && !root.has("cluster") {
		r.wrong("spool.store", `expected "file", got %q: there is no [cluster] with NATS servers that could keep the records`, c.Spool.Store)
	}
}

// UsesSpool reports whether a route stores accounting, so that [spool] has a meaning.
func (c *Config) UsesSpool() bool {
	return slices.ContainsFunc(c.Routes, func(r Route) bool { return r.Spool })
}

// warnSpool warns of keys of the spool that have no effect, or less than they seem to have.
func (c *Config) warnSpool(warn warner) {
	if c.given("spool") && !c.UsesSpool() {
		warn("spool", "has no effect: no [[route]] has spool = true, so that accounting which no server answers is lost")
	}
	if c.Spool.Store == SpoolStoreFile && c.Spool.Replicas != defaultSpool().Replicas {
		warn("spool.replicas", "has no effect: store is \"file\", which has no copies")
	}
	for i := range c.Routes {
		r, at := &c.Routes[i], joinKey(joinIndex("route", i), "spool_after")
		if !r.Spool {
			if r.SpoolAfter != defaultSpoolAfter {
				warn(at, "has no effect: spool is false, and nothing is stored")
			}
			continue
		}
		for _, s := range c.ServersOf(r) {
			if r.SpoolAfter > s.RetransmitDuration {
				warn(at, "has no effect with server %q: its requests are given up after %v (retransmit_duration), and the spool takes them over then, before they have waited %v; set less, or a longer retransmit_duration",
					s.Name, s.RetransmitDuration, r.SpoolAfter)
				break
			}
		}
	}
}
