package tlsfront

import (
	"sync/atomic"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// client is a configured client and its state.
type client struct {
	config *Client
	state  *clientState
}

// clientState is the state of a client that is kept when the configuration changes.
type clientState struct {
	metrics *metrics.Client             // static after construction
	open    int                         // open connections; guarded by Server.mu
	limiter atomic.Pointer[rateLimiter] // nil: no limit
	sheds   logs.Limiter                // of the line that says packets are dropped
}
