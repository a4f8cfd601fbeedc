// Package gatewaytest has what tests of a running gateway need: a directory with
// certificates and a configuration, a RADIUS server of layeh.com/radius on UDP, and a
// RadSec client that logs in.
//
// It does not start the gateway: that is package gateway, or the program.
package gatewaytest

import "time"

// Patience bounds every wait of a test; a machine under load needs some.
const Patience = 10 * time.Second

// Secret is the one that Config and Serve share.
const Secret = "udp-Secret-of-these-tests"
