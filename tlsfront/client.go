package tlsfront

import (
	"sync/atomic"

	"radsec-gw/metrics"
)

// client is a configured client and what is kept about it.
type client struct {
	config *Client
	state  *clientState
}

// clientState is what outlives a change of configuration.
type clientState struct {
	metrics *metrics.Client             // static after construction
	open    int                         // connections now; guarded by Server.mu
	limiter atomic.Pointer[rateLimiter] // nil: no limit
}
