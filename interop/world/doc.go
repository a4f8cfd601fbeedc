// Package world tests the built gateway in surroundings that change while it runs: its name
// server hangs, its own address changes, a server comes back elsewhere, routes
// vanish, descriptors, log readers and disks fail.
//
// Each test makes network namespaces of its own (namespace_test.go), without
// names, so nothing remains when a test is killed:
//
//	 gateway                        outside
//	┌───────────────────────┐      ┌──────────────────────────────┐
//	│ radsec-gw serve       │ eth0 │ RADIUS servers   10.0.0.10 … │
//	│ RadSec clients on lo  ├──────┤ name server      10.0.0.53   │
//	│ own /etc/hosts,       │ veth │ default route    10.0.0.254  │
//	│ /etc/resolv.conf      │      └──────────────────────────────┘
//	│ 10.0.0.1              │
//	└───────────────────────┘
//
// Where a test asks for it, a third namespace lies between the two: a router
// with a small MTU, or a wire that loses, delays, doubles and reorders frames
// (wire_test.go), so that no kernel module for it is needed.
//
// What is measured is measured from outside: what clients are answered and when,
// what servers are sent, what the log, /metrics, /readyz and the status page
// say. Each test prints its figures; go test -v shows them.
//
// The tests need root, or user namespaces, and Debian's iproute2, nftables, prometheus and
// util-linux: make deps installs them. They fail, and never skip, where
// something is missing.
//
//	go test ./interop/world                            about two minutes
//	go test ./interop/world -run Soak -soak 10m        a soak of ten minutes
//	go test ./interop/world -binary FILE -without KEYS another build of the gateway, without keys it does not know
package world
