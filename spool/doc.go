// Package spool keeps Accounting-Requests on disk, or in a stream of NATS, until a RADIUS server has
// them. It knows no sockets and no RADIUS servers: package relay hands records over, acknowledges
// them when they are durable, and sends them when it is asked to.
//
// The way of a record:
//
//	Spool.Begin     a request that is sent to a server without the spool is live until
//	                Spool.End: what follows it in its session must not overtake it
//	Spool.Add       gives a record its place in the index, and queues it
//	writer.commit   stores what is queued, with one commit for many records: it compares
//	                what seem to be copies, encrypts hidden attributes, and writes
//	Owner.Stored    is told: only now may the client be told
//	Spool.choose    takes the records that can be sent now: of each session one at a time,
//	                of each route (lane.go) a window, at a rate
//	Owner.Send      gets them as they are to be sent (renew.go)
//	Outgoing.Done   is told what became of one: it is removed with the next commit, or waits
//	writer.setAside moves one that no server answers, although it answers others, to a file
//
// The index (index.go, slab.go) has the order of all records, and of each about 180 bytes, of those
// in a stream some more, because they are looked up by number; the packets are in the store only.
// A record is recognized and ordered by its marks (marks.go). All times are on a clock of the
// spool's own (clock.go).
//
// The store (store.go) is a database of package bbolt in one file, or a stream of NATS that several
// gateways share (shared.go, follow.go, package stream). A file that is damaged is found out, and
// what can be read of it is kept, without package bbolt (image.go, salvage.go).
//
// One goroutine writes to the store (run.go, writer.go, aside.go), and another asks the owner to
// send (replay.go). Spool.mu guards the index and what belongs to it; it is never held while
// something is read or written, so that a disk that hangs holds up nobody who calls Begin, End
// or Add. The owner is called without it.
//
// What people do with the records is in kept.go and import.go, for package control.
package spool
