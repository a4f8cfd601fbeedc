package udpback

import (
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/resolve"
	"radsec-gw/wire"
)

// dialer opens a connected socket to a server's port, from a local address or any.
type dialer func(from netip.Addr, to netip.AddrPort) (datagram.Conn, error)

// Backend holds what all servers share: the clock, the buffers, the pools of batches.
type Backend struct {
	// static after construction
	log      *slog.Logger
	metrics  *metrics.Metrics
	dial     dialer
	resolver *resolve.Resolver
	base     time.Time // the clock counts from here
	issuers  issuers

	interfaceAddrs func() ([]net.Addr, error) // the addresses of this machine

	freeSlot slot                     // what an Identifier is for which its socket has no memory
	observer atomic.Pointer[Observer] // nil: none; set once, when checks may have been sent already

	sockets            atomic.Int64  // open to all servers, those included that are retired
	socketLimit        atomic.Int64  // 0: none
	expansions         atomic.Uint64 // counts the changes of any Server's members
	lookupFailures     logs.Limiter  // names that cannot be looked up
	socketLimitReached logs.Limiter  // sockets that may not be opened

	mu         locks.Mutex[locks.Backend] // guards the fields below
	servers    map[*Server]struct{}
	refreshed  time.Duration // when Refresh last had an effect; 0: never
	refreshDue bool          // one is scheduled for the end of renewPause
	orders     map[string]MaintenanceOrder

	sources sourceTable

	Buffers   Buffers
	batches   sync.Pool // *Batch
	receivers sync.Pool // *receiver
	dueWork   sync.Pool // *dueWork
	slots     sync.Pool // *slotBlock
}

// New returns a Backend that opens real UDP sockets and looks names up as the system does.
func New(m *metrics.Metrics, log *slog.Logger) *Backend {
	return NewDialing(m, log, datagram.DialUDP)
}

// NewDialing is like New, but opens sockets with dial, such as those of a test's network.
func NewDialing(m *metrics.Metrics, log *slog.Logger, dial datagram.Dial) *Backend {
	return newBackend(m, log, datagram.NewDialer(dial), net.DefaultResolver.LookupNetIP)
}

func newBackend(m *metrics.Metrics, log *slog.Logger, dial dialer, lookup resolve.Lookup) *Backend {
	b := &Backend{log: log, metrics: m, dial: dial, resolver: resolve.New(lookup), base: time.Now(), servers: map[*Server]struct{}{}, orders: map[string]MaintenanceOrder{}, interfaceAddrs: net.InterfaceAddrs}
	b.batches.New = func() any {
		return &Batch{Hasher: wire.NewHasher(), backend: b, digests: wire.NewDigests(), reservations: make([]reservation, 0, wire.MaxDigests)}
	}
	b.receivers.New = func() any { return &receiver{verify: wire.NewDigests(), sign: wire.NewDigests()} }
	b.slots.New = func() any { return new(slotBlock) }
	b.dueWork.New = func() any { return &dueWork{hasher: wire.NewHasher()} }
	return b
}

// AcquireBatch returns an empty batch. The caller must Flush it and then release it.
func (b *Backend) AcquireBatch() *Batch { return b.batches.Get().(*Batch) }

// ReleaseBatch returns a flushed batch to the pool. The caller must not use it again.
func (b *Backend) ReleaseBatch(batch *Batch) { b.batches.Put(batch) }

// Now is a monotonic clock that starts near zero: durations are cheaper to keep
// and to compare than times. It is never 0, which means 'not set'.
func (b *Backend) Now() time.Duration { return time.Since(b.base) + 1 }

// LimitSockets bounds how many sockets are open to all servers together; 0: any
// number. Each configured port always gets its first. A port of an expanded name gets one
// at one of its addresses, and its requests go to the addresses that have one.
func (b *Backend) LimitSockets(n int) { b.socketLimit.Store(int64(n)) }

func (b *Backend) atSocketLimit() bool {
	limit := b.socketLimit.Load()
	return limit > 0 && b.sockets.Load() >= limit
}

// Refresh looks all names up and renews all sockets, for an operator who knows of a
// change that the gateway has not noticed. It does not wait. Calls within a second of the
// last refresh cause one refresh, when the second is over: each renewal leaves sockets
// that still listen.
func (b *Backend) Refresh() {
	b.mu.Lock()
	if wait := b.refreshed + renewPause - b.Now(); b.refreshed != 0 && wait > 0 {
		if !b.refreshDue {
			b.refreshDue = true
			time.AfterFunc(wait, b.refresh)
		}
		b.mu.Unlock()
		return
	}
	b.mu.Unlock()
	b.refresh()
}

func (b *Backend) refresh() {
	b.mu.Lock()
	b.refreshed, b.refreshDue = b.Now(), false
	all := slices.Collect(maps.Keys(b.servers))
	b.mu.Unlock()
	for _, s := range all {
		s.requestLookup()
		for _, e := range s.endpoints() {
			for set := range e.sets() {
				set.refresh()
			}
		}
	}
}

func (b *Backend) register(s *Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.servers[s] = struct{}{}
}

// InUse reports whether a server of this name is in use and has counters of its own. A
// server whose addresses are servers themselves has none.
func (b *Backend) InUse(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.servers {
		if s.Name == name && len(*s.members.Load()) == 0 {
			return true
		}
	}
	return false
}

// removeCounts removes the counters of a server, unless another server has its name now,
// because its address is back or a reload has created it again.
func (b *Backend) removeCounts(server string) {
	b.metrics.KeepServers(func(name string, _ metrics.Port) bool { return name != server || b.InUse(name) })
}

func (b *Backend) unregister(s *Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.servers, s)
	b.dropOrders(s.Name)
}

// Packets are kept until they are answered, and most are far smaller than 4096
// octets: three sizes keep ten thousand outstanding requests within some
// megabytes. 512 holds a PAP or accounting request, 1536 an EAP fragment.
const (
	smallBuffer  = 512
	mediumBuffer = 1536
	largeBuffer  = 4096
)

// Buffers is a set of pools of packet buffers of three sizes. The zero value is ready for
// use.
type Buffers struct {
	small, medium, large sync.Pool
}

// Copy returns a copy of p in the smallest buffer that fits.
func (b *Buffers) Copy(p []byte) []byte {
	pool, size := b.class(len(p))
	if v := pool.Get(); v != nil {
		return append(slice(v, size), p...)
	}
	return append(make([]byte, 0, size), p...)
}

// Return returns a buffer of Copy to its pool; nil is allowed. The caller must not use it
// again.
func (b *Buffers) Return(p []byte) {
	switch cap(p) {
	case smallBuffer:
		b.small.Put((*[smallBuffer]byte)(p[:smallBuffer]))
	case mediumBuffer:
		b.medium.Put((*[mediumBuffer]byte)(p[:mediumBuffer]))
	case largeBuffer:
		b.large.Put((*[largeBuffer]byte)(p[:largeBuffer]))
	}
}

func (b *Buffers) class(n int) (*sync.Pool, int) {
	switch {
	case n <= smallBuffer:
		return &b.small, smallBuffer
	case n <= mediumBuffer:
		return &b.medium, mediumBuffer
	}
	return &b.large, largeBuffer
}

// slice turns a pool's entry back into an empty slice. Arrays are pooled by
// pointer, because a slice header in an interface would be allocated each time.
func slice(v any, size int) []byte {
	switch size {
	case smallBuffer:
		return v.(*[smallBuffer]byte)[:0]
	case mediumBuffer:
		return v.(*[mediumBuffer]byte)[:0]
	}
	return v.(*[largeBuffer]byte)[:0]
}
