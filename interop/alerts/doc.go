// Package alerts makes each alert of docker/prometheus/rules.yml happen once, in Debian's
// Prometheus, which scrapes built gateways that have the alert's fault, and waits until it
// ends when the fault does. Everything is on 127.0.0.0/8.
//
// The rules are those that operators get, with shorter times: a fault need not last for
// minutes.
package alerts
