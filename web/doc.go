// Package web implements the gateway's HTTP server, for operators and their programs:
//
//	/            the status page (page.go, chart.go)
//	/api/v1/status
//	             the same as JSON (api.go)
//	/metrics     for Prometheus
//	/healthz     200 while the process runs
//	/readyz      200 while it can serve, else 503, with the reasons as JSON (ready.go)
//	/loglevel    GET shows the level, PUT changes it (loglevel.go)
//	/api/v1/servers/NAME/maintenance
//	             GET shows it, PUT orders it, DELETE removes the order (maintenance.go)
//	/debug/pprof Go's profiles, when switched on
//
// server.go has the server and access.go decides which requests are answered. Strangers can
// keep nobody out: pool.go bounds the connections and says which is closed for another one,
// limited.go and conn.go are the listener and the connections that obey it, head.go reads the
// first request's head and peek_unix.go sees whether it has arrived, handshake.go bounds what
// TLS handshakes cost, batches.go renders /metrics and /readyz once for all callers that wait,
// scrape.go says what the variants of /metrics are.
//
// The page and its JSON render one value, a [status.Snapshot], which gateway makes: shared.go
// makes one a second for all callers together and keeps what was rendered of it. sampler.go
// keeps the history of the last day. collector.go
// collects what requests leave. Nothing here is called for a packet.
//
// Clients' certificates, addresses and log lines are shown, and peers choose
// what is in some of them: html/template escapes every value, and the
// Content-Security-Policy allows no script and no style but the page's own.
package web
