package locks

// Class is a kind of lock: all mutexes of one field.
type Class interface{ class() class }

// class is a Class's place in the order.
type class struct {
	rank  int
	name  string
	nests bool // several of this class may be held, as the owner's documentation says
}

// The classes, in the order in which a goroutine acquires them.
type (
	SocketSweeping struct{} // udpback.socket.sweeping
	Server         struct{} // udpback.Server.mu: of a server, then of its members
	SocketSet      struct{} // udpback.socketSet.mu
	Socket         struct{} // udpback.socket.mu
	Exchange       struct{} // udpback.Exchange.mu
	HealthPort     struct{} // health.Port.mu: its owner is called without it
	Backend        struct{} // udpback.Backend.mu
	Issuers        struct{} // udpback.issuers.mu
)

func (SocketSweeping) class() class { return class{1, "udpback.socket.sweeping", false} }
func (Server) class() class         { return class{2, "udpback.Server.mu", true} }
func (SocketSet) class() class      { return class{3, "udpback.socketSet.mu", false} }
func (Socket) class() class         { return class{4, "udpback.socket.mu", false} }
func (Exchange) class() class       { return class{5, "udpback.Exchange.mu", false} }
func (HealthPort) class() class     { return class{6, "health.Port.mu", false} }
func (Backend) class() class        { return class{7, "udpback.Backend.mu", false} }
func (Issuers) class() class        { return class{8, "udpback.issuers.mu", false} }
