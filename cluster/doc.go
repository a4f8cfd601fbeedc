// Package cluster shares what several gateways may know of each other, through NATS servers that
// the operator runs. Nothing waits for it on a packet's way, and what is lost with NATS
// is only what is shared: a login never depends on it.
//
// A [Conn] connects in the background, for as long as the gateway runs. [Sharing] tells the
// other gateways, and learns from them, best effort:
//
//	PREFIX.marker   every 10 s and at each connection: that the gateway is there, and what
//	                its requests are marked with, so that a loop through two gateways is noticed
//	                by the second
//	PREFIX.state    which server issued a State, so that a conversation that a NAS goes
//	                on with through another gateway is sent to that server
//
// [CoA] has its own subjects below PREFIX.coa, and package spool/stream those below PREFIX.spool: the
// records of a spool in JetStream, and which of them were removed.
//
// Each message is checked before it is used (message.go, coamessage.go): anybody who may publish
// below the prefix could have sent it. docs/cluster.md, Security, lists the worst that a wrong
// message does.
//
// The files:
//
//	conn.go, options.go
//	            the connection to NATS
//	sharing.go  what is told to the other gateways, and when
//	replicas.go the other gateways
//	message.go  the forms of the messages
//	coa*.go     CoA and Disconnect for a NAS that is connected to another gateway: see [CoA]
//	natstest    (a package) NATS servers for tests
package cluster
