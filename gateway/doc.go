// Package gateway runs a whole gateway: RadSec for the clients, UDP to the servers, and HTTP
// for operators.
//
// [Load] reads a configuration and the files that it names, and returns a checked [Plan];
// [Start] starts a [Gateway] from it. [Gateway.Reload] reads the same files again,
// [Gateway.Drain] stops the gateway gracefully, and [Gateway.Wait] returns when everything
// has ended. Package explain prints what a Plan means.
//
// # In a test
//
// A gateway needs no process of its own. The configuration lets it listen on ports of the
// system's choice (address = ["127.0.0.1:0"]), and Addr and MetricsAddr return them:
//
//	p, err := gateway.Load(t.Context(), file) // err lists every mistake in the file
//	…
//	g, err := gateway.Start(ctx, p, gateway.Options{}) // set Log to see the log lines
//	…
//	connect(g.Addr())
//	g.Drain() // or cancel ctx, to end immediately
//	err = g.Wait()
//
// Call Wait in every case: it returns when all sockets are closed and all goroutines have
// ended. Several gateways may run in one process; each has its own metrics. What belongs to
// the process stays outside: signals and systemd are package service, the exit status and
// the log's output are the command's. Package gatewaytest makes a directory with
// certificates and a configuration, a RADIUS server and a RadSec client.
//
// # The files
//
// Load is in plan.go. It reads the configuration by package config, then the other files
// once: files.go lists them, material.go reads certificates and keys, issuers.go CAs and
// intermediates, revocation.go revocation lists; crlfetch.go has those that are fetched by URL,
// and frontmaterial.go what each of [listen] and [[listener]] names. parse.go makes a panic of a
// parser a mistake of
// its file, modes.go finds keys that everybody can read. mistakes.go checks what config
// cannot, and warnings.go lists what is suspicious but possible.
//
// Start is in gateway.go. It translates the configuration into the other packages' terms,
// here and nowhere else: build_front.go for tlsfront, build_clients.go, build_rules.go and
// build_nas.go for relay, build_servers.go for udpback (without the ports that ports.go
// finds unused), build_logs.go for logs and audit, spool.go for spool, cluster.go for cluster. fronts.go makes a
// server of tlsfront for each of [listen] and [[listener]], and changes and ends them.
// sockets.go opens what it listens on, frontsockets.go for RadSec, and tapsocket.go the socket for taps, which it makes again if that is removed. descriptors.go
// divides the descriptors that the process may have open, and keylog.go opens the file for
// the secrets of connections.
//
// A running gateway is a [Gateway] and its current generation, which a reload replaces as a
// whole. watch.go polls the files, and reload.go decides whether a reload happens and
// records its result; replace.go replaces the parts; keep.go keeps a good certificate
// if polling the files has found a bad one; lost.go lists what a reload removes, for
// the log; series.go removes metrics of what is no longer configured, and routelabels.go
// names those of routes. certificate.go reports what clients may find wrong with the
// gateway's own certificate, expiry.go exports when certificates expire, ready.go says why
// the gateway is not ready, and web.go shows all of it over HTTP. status.go and
// statuslists.go make the value that the status page shows, refusals.go its part about what
// was refused, spoolstatus.go that about the spool, and reloadlog.go remembers the last reloads
// for it.
//
// # Locks
//
// A goroutine that holds one of these locks acquires only locks further down. Package locks
// has the order of all of them, and checks it in tests with the build tag lockorder:
//
//	Gateway.turn                  a channel; held while a reload reads files and opens sockets
//	Gateway.reloading             while a reload replaces the parts; its holder waits for no file, name or socket
//	  sessions: Table.updateMu    while sessions are checked against a new policy
//	    Table.mu                  while sessions are added, removed or listed
//	      Shared.mu               while the state of a client is made or removed
//	  udpback: socket.sweeping    while a sweep resends, moves and gives up requests
//	    Server.mu, socketSet.mu, socket.mu, Exchange.mu
//	  audit: Hub.mu               while the log lines of requests are configured, or a tap is attached
//	Metrics.mu                    while series are made, removed or listed
//	udpback: Backend.mu           while servers are registered, removed or listed
//
// The locks of sessions, udpback and audit in this list are not acquired with each other
// held. What waits for goroutines, such as closing a server of udpback, is called
// with at most reloading held, which none of these goroutines acquires.
//
// udpback calls relay with sweeping held when a request moves or is given up, and relay then
// sends an answer: it acquires and releases its Connection.mu, and under it Spool.mu of spool if
// the route uses that, then crypto/tls's own lock and under it outgoing.mu of tlsfront, and if
// the client does not read, Session.mu of tlsfront after these are released.
//
// All other locks are leaves: nothing is acquired with one of them held but the locks of
// package logs, which come last of all: a log line is queued and never waits.
//
// The relaying of a packet acquires no lock above socket.sweeping, but over DTLS that of its
// session, and waits for no file,
// name or log line.
package gateway
