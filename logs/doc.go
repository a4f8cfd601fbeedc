// Package logs writes log lines that nobody waits for.
//
// Every line of the process goes through one [Output]: a bounded queue and the
// one goroutine that writes what is in it. [Log] is the slog.Handler in front of
// it; package audit puts the lines of individual requests there ready made; the
// standard library's log and net/http come through [Log.Std]. Putting a line
// costs a lock and a copy. What does not fit is dropped and counted, and when
// lines flow again one line says how many were lost.
//
//	slog.Logger ── Log (level, format, limits, last warnings) ──┐
//	audit: request log, F-Ticks ────────────────────────────────┼─ Output ── standard error
//	net/http, log ── Std ── Log ────────────────────────────────┘
//
// The writer survives whatever happens to what it writes to: a pipe that nobody
// reads, one whose reader has gone, a full disk. At the end of the process
// [Output.Close] waits at most a second for what is queued. What a panic prints
// does not come through here: the runtime writes it to standard error itself, and
// lines that were queued less than a moment before may be missing then.
//
// Lines that something outside of the process causes are limited before they
// are queued, by buckets of tokens: a [Limiter] is one, for one cause; [Sources]
// has one for each source address, for what peers cause; and Log has one for each
// message. A line that stands for others says how many in its field "suppressed".
//
// The way through the package:
//
//	log.go      the slog.Handler: level, form, limits
//	recent.go   the last warnings, for the status page
//	values.go   values that read the same in both forms of the log
//	std.go      the standard library's log in front of it
//	signals.go  the level changed by signals
//	limiter.go, sources.go, keyed.go, bucket.go
//	            limits
//	output.go, batch.go, writer.go
//	            the queue and the goroutine that writes it
//	kinds.go    what lines are about, and why they are lost
//
// Locks: each type has one mutex of its own, and calls nothing that waits with
// it held. Limiter.Log calls the caller's function with it held.
package logs
