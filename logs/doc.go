// Package logs writes log lines without making callers wait.
//
// Every line of the process goes through one [Output]: a bounded queue and the
// one goroutine that writes what is in it. [Log] is the slog.Handler in front of
// it; package audit formats the lines of individual requests and puts them there; the
// standard library's log and net/http use [Log.Std]. Putting a line costs a lock and a
// copy. A line that does not fit is dropped and counted, and when lines can be written
// again one line reports how many were lost.
//
//	slog.Logger ── Log (level, format, limits, last warnings) ──┐
//	audit: request log, F-Ticks ────────────────────────────────┼─ Output ── standard error
//	net/http, log ── Std ── Log ────────────────────────────────┘
//
// The goroutine goes on after any error of writing: a pipe that is not read, one whose
// reader has gone, a full disk. At the end of the process [Output.Close] waits at most a
// second for what is queued. The output of a panic is not queued: the runtime writes it
// to standard error itself, and lines that were queued just before it may be missing.
//
// Lines that something outside of the process causes are limited before they are queued,
// by token buckets: a [Limiter] is one, for one cause; [Sources] has one for each source
// address, for lines that peers cause; and Log has one for each message. The field
// "suppressed" of a line says how many others like it were not written.
//
// The files:
//
//	log.go      the slog.Handler: level, form, limits
//	recent.go   the last warnings, folded by their causes, for the status page
//	values.go   values that are written the same in both forms of the log
//	escape.go   lines of JSON without characters that a terminal obeys
//	std.go      a logger of the standard library that writes to it
//	signals.go  the level changed by signals
//	limiter.go, sources.go, keyed.go, bucket.go
//	            limits
//	output.go, batch.go, writer.go
//	            the queue and the goroutine that writes it
//	journal.go  the priorities of lines, for systemd's journal
//	kinds.go    what lines are about, and why they are lost
//
// Locks: each type has one mutex of its own, and calls nothing that waits, and no
// function of a caller, with it held.
package logs
