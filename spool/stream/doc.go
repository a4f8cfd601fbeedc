// Package stream keeps values in a JetStream stream of NATS servers, for several processes
// together: each adds and removes values, and learns what the others add and remove. One of
// them at a time leads.
//
//	open.go        opens the stream, makes it if necessary, and has what all share
//	add.go         adds values
//	store.go       reads and removes values
//	same.go        whether numbers are still those of the same values
//	sign.go        signs values, so that those of others are left alone
//	clock.go       the time of the servers
//	feed.go        what the others have added and removed
//	left.go        what was removed without telling, and what is left
//	settings.go    settings of a stream that could lose values
//	lease.go       which process leads
//
// A value has the sequence number of its message in the stream. It is durable when the servers
// have acknowledged it: most of the servers that keep a copy have written it then. Removing is
// deleting its message, of which the others are told with a message that nobody stores; who
// misses it finds out what is left.
//
// Rules: GW4
package stream
