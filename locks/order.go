package locks

// Class is a kind of lock: all mutexes of one field.
type Class interface {
	Reloading | Updating | Sessions | SocketSweeping | Server | SocketSet | Socket | Exchange |
		HealthPort | Hub | Backend | Sources | Issuers | Series |
		DynAuth | DynAuthClient | Learned | Link | Session | Admission | ClientStates | RateLimiter | Listeners | Outgoing | KeyLog | Paths | Connection | SpoolAside | Spool | SpoolFile | StreamOrder | StreamFeed | StreamLease | Tap | Syslog |
		ClusterConn | ClusterAsks | ClusterNames | ClusterPeers | ClusterReplicas | CertificateReport | GatewayErrors | OpenConnections | Sampler | SharedStatus | ReloadLog | Reader | CRLFetcher | HTTPConnections | Renderings |
		DTLSReceiving | DTLSServer | DTLSListeners | DTLSListener | DTLSAdmission | DTLSPending | DTLSSession | DTLSSending | DTLSOutput |
		LogLevel | Limiter | KeyedLimiter | RecentLines | Output
}

// The classes, which order lists.
type (
	Reloading         struct{}
	Updating          struct{}
	Sessions          struct{}
	SocketSweeping    struct{}
	Server            struct{}
	SocketSet         struct{}
	Socket            struct{}
	Exchange          struct{}
	HealthPort        struct{}
	Hub               struct{}
	Backend           struct{}
	Sources           struct{}
	Issuers           struct{}
	Series            struct{}
	DynAuth           struct{}
	DynAuthClient     struct{}
	Learned           struct{}
	Link              struct{}
	Session           struct{}
	Admission         struct{}
	ClientStates      struct{}
	RateLimiter       struct{}
	Listeners         struct{}
	Outgoing          struct{}
	KeyLog            struct{}
	Paths             struct{}
	Connection        struct{}
	Tap               struct{}
	Syslog            struct{}
	CertificateReport struct{}
	GatewayErrors     struct{}
	OpenConnections   struct{}
	Sampler           struct{}
	SharedStatus      struct{}
	ReloadLog         struct{}
	Reader            struct{}
	CRLFetcher        struct{}
	HTTPConnections   struct{}
	Renderings        struct{}
	SpoolAside        struct{}
	Spool             struct{}
	SpoolFile         struct{}
	StreamOrder       struct{}
	StreamFeed        struct{}
	StreamLease       struct{}
	ClusterConn       struct{}
	ClusterAsks       struct{}
	ClusterNames      struct{}
	ClusterPeers      struct{}
	ClusterReplicas   struct{}
	DTLSReceiving     struct{}
	DTLSServer        struct{}
	DTLSListeners     struct{}
	DTLSListener      struct{}
	DTLSAdmission     struct{}
	DTLSPending       struct{}
	DTLSSession       struct{}
	DTLSSending       struct{}
	DTLSOutput        struct{}
	LogLevel          struct{}
	Limiter           struct{}
	KeyedLimiter      struct{}
	RecentLines       struct{}
	Output            struct{}
)

// lock is a class in the order.
type lock struct {
	class any
	name  string
	nests bool // several of this class may be held
}

// order has the classes in the order in which a goroutine acquires them. Those in one
// group are never held together.
var order = [][]lock{
	{{Reloading{}, "gateway.Gateway.reloading", false}},
	{{DTLSReceiving{}, "dtlsfront.Session.receiving", false}}, // its Sink is called with it
	{{Updating{}, "sessions.Table.updateMu", false}},
	{{Sessions{}, "sessions.Table.mu", false}},
	{{ClientStates{}, "sessions.Shared.mu", false}}, // makes the series of a client
	{{SocketSweeping{}, "udpback.socket.sweeping", false}},
	{{Server{}, "udpback.Server.mu", true}}, // of a server, then of its members
	{{SocketSet{}, "udpback.socketSet.mu", false}},
	{{Socket{}, "udpback.socket.mu", false}},
	{{Exchange{}, "udpback.Exchange.mu", false}},
	{{Hub{}, "audit.Hub.mu", false}},
	{{DTLSServer{}, "dtlsfront.Server.mu", false}}, // a Sink's Send may terminate its session
	{{Connection{}, "relay.Connection.mu", false}}, // a request goes to the spool with it
	{{SpoolAside{}, "spool.Spool.asideFile", false}},
	{{StreamOrder{}, "stream.feed.order", false}},
	{{SpoolFile{}, "spool.fileStore.mu", false}}, // who reads a record looks for it in the index
	{{Series{}, "metrics.Metrics.mu", false}},    // its functions ask the owners of series
	{
		{Backend{}, "udpback.Backend.mu", false},
		{Sources{}, "udpback.sourceTable.mu", false},
		{Issuers{}, "udpback.issuers.mu", false},
		{HealthPort{}, "health.Port.mu", false}, // its owner is called without it
		{DynAuth{}, "dynauth.Server.mu", false},
		{DynAuthClient{}, "dynauth.Client.mu", false},
		{Learned{}, "dynauth.shard.mu", false},
		{Link{}, "dynauth.Link.mu", false},
		{Session{}, "tlsfront.Session.mu", false},
		{Admission{}, "tlsfront.admission.mu", false},
		{RateLimiter{}, "sessions.RateLimiter.mu", false},
		{Listeners{}, "tlsfront.listeners.mu", false},
		{Outgoing{}, "tlsfront.outgoing.mu", false}, // under a lock of crypto/tls
		{KeyLog{}, "tlsfront.KeyLog.mu", false},     // the same
		{DTLSListeners{}, "dtlsfront.listeners.mu", false},
		{DTLSListener{}, "dtlsfront.Listener.mu", false},
		{DTLSAdmission{}, "dtlsfront.admission.mu", false},
		{DTLSPending{}, "dtlsfront.pending.mu", false},
		{DTLSSession{}, "dtlsfront.Session.mu", false},
		{DTLSSending{}, "dtlsfront.Session.sending", false},
		{DTLSOutput{}, "dtlsfront.output.mu", false},
		{Spool{}, "spool.Spool.mu", false},
		{StreamFeed{}, "stream.feed.mu", false},
		{ClusterConn{}, "cluster.Conn.mu", false},
		{ClusterAsks{}, "cluster.coaAsks.mu", false},
		{ClusterNames{}, "cluster.coaNames.mu", false},
		{ClusterPeers{}, "cluster.coaPeers.mu", false},
		{ClusterReplicas{}, "cluster.replicas.mu", false},
		{Paths{}, "identity.pathCache.mu", false},
		{Tap{}, "audit.tap.mu", false},
		{Syslog{}, "audit.syslog.mu", false},
		{CertificateReport{}, "gateway.certificateReport.mu", false},
		{GatewayErrors{}, "gateway.Gateway.mu", false},
		{OpenConnections{}, "metrics.connections.mu", false},
		{Sampler{}, "web.sampler.mu", false},
		{SharedStatus{}, "web.shared.mu", false},
		{ReloadLog{}, "gateway.reloadLog.mu", false},
		{Reader{}, "files.Reader.mu", false},
		{CRLFetcher{}, "crlfetch.Fetcher.mu", false},
		{HTTPConnections{}, "web.pool.mu", false},
		{Renderings{}, "web.batches.mu", false},
	},
	{{StreamLease{}, "stream.lease.mu", false}}, // Spool asks who leads
	// Log lines may be written with any lock held: they are queued, and never wait.
	{
		{LogLevel{}, "logs.shared.mu", false},
		{Limiter{}, "logs.Limiter.mu", false},
		{KeyedLimiter{}, "logs.keyed.mu", false},
		{RecentLines{}, "logs.recent.mu", false},
		{Output{}, "logs.Output.mu", false},
	},
}
