package locks

// Class is a kind of lock: all mutexes of one field.
type Class interface {
	SocketSweeping | Server | SocketSet | Socket | Exchange | HealthPort | Backend | Issuers
}

// The classes, which order lists.
type (
	SocketSweeping struct{}
	Server         struct{}
	SocketSet      struct{}
	Socket         struct{}
	Exchange       struct{}
	HealthPort     struct{}
	Backend        struct{}
	Issuers        struct{}
)

// order has the classes in the order in which a goroutine acquires them.
var order = []struct {
	class any
	name  string
	nests bool // several of this class may be held
}{
	{SocketSweeping{}, "udpback.socket.sweeping", false},
	{Server{}, "udpback.Server.mu", true}, // of a server, then of its members
	{SocketSet{}, "udpback.socketSet.mu", false},
	{Socket{}, "udpback.socket.mu", false},
	{Exchange{}, "udpback.Exchange.mu", false},
	{HealthPort{}, "health.Port.mu", false}, // its owner is called without it
	{Backend{}, "udpback.Backend.mu", false},
	{Issuers{}, "udpback.issuers.mu", false},
}
