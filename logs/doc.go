// Package logs writes log lines that nobody waits for.
//
// Every line of the process goes through one [Output]: a bounded queue and the
// one goroutine that writes what is in it. [Log] is the slog.Handler in front of
// it; package audit puts the lines of individual requests there ready made; the
// standard library's log and net/http come through [Log.Std]. Putting a line
// costs a lock and a copy. What does not fit is dropped and counted, and when
// lines flow again one line tells how many were lost.
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
// are queued: a [Limiter] for one cause, [Sources] for what peers cause, and
// inside of Log a limit for each message. A line that stands for others says
// how many in its field "suppressed".
//
// Locks: each type has one mutex of its own, and calls nothing that waits with
// it held. Limiter.Say calls the caller's function with it held.
package logs
