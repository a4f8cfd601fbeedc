// Command mutants says how well the tests hold the code: it breaks the code in
// one small place after the other and runs the tests that reach the place. A
// mutant is such a break; a survivor is one that no test notices.
//
//	make mutants                                    everything, within an hour on two cores
//	make mutants MUTANTS='-package wire'            one package
//	make mutants MUTANTS='-package wire -run Cut'   keys that match a pattern
//	make mutants MUTANTS='-list -package wire'      the keys, nothing is run
//	make mutants MUTANTS=rules                      the rules of CONFORMANCE.md, broken by hand
//	make mutants MUTANTS='rules -run P21'
//
// Without make it is go -C tools run ./mutants, with the same arguments.
//
// After a run, -o FILE has the keys of the survivors; with -survivors FILE only
// these are run again, which is quick after a new test. Kills are remembered in
// -cache DIR as long as neither the code nor the tests that were there have
// changed. -shard 2/3 runs the second third.
//
// # What is changed
//
//	boundary    < becomes <=, > becomes >=, and back
//	negate      == becomes !=, < becomes >=, if c becomes if !c
//	logic       && becomes ||
//	arithmetic  + becomes -, * becomes /, and back; x++ becomes x--
//	bits        & becomes |, << becomes >>, and back
//	constant    an integer is one more, one less
//	remove      a call, an assignment, x++, a send, a defer or a go is left out
//	return      a value returned becomes zero, true becomes false
//	loop        break becomes continue, and back
//	case        a case does nothing
//
// Left out are a number returned beside an error or false, String methods, panics, constant declarations, generated files,
// durations, and the capacities that make is given.
//
// # How it is run
//
// All mutants are compiled at once: each is guarded by a number, which a test
// binary takes from its environment (schema.go.txt is what guards them). Each
// test is first run alone, which shows how long it takes and which mutants it
// reaches. A test that fails then, before anything is changed, is named and left
// out: those that count allocations, for example. So is one that needs more
// processor time than -slow allows, since every survivor would have to wait for
// it. A mutant is run against the tests that reach it, the fastest first. One that
// makes a test run several times as long as before, or wait for ever, is killed by
// timeout. Tests run with -short: those that try thousands of random schedules try
// a few then, and always the same.
//
// # Accepted survivors
//
// The file accepted lists the survivors that stay, each with its reason: mostly
// mutants that change nothing that a caller could see. An entry is a key as the
// tool prints it, then the reason in indented lines:
//
//	wire/frame.go Cut [boundary] len(b) < 4 -> len(b) <= 4
//		Four octets are never a whole packet.
//
// A key has no line numbers and so survives edits elsewhere; #2 at its end means
// the second such place of the function; "-> *" in place of what it becomes means
// all mutants of the operator there, those that survive. An entry whose mutant no
// longer exists is an error.
//
// Every survivor of wire, relay, routing and identity needs an entry. In udpback,
// where much is about when something happens and little is lost when it happens
// otherwise, at most 2 percent of the mutants may survive without one; they are
// printed like all others. The exit status is 0 when that is so.
//
// # Rules broken by hand
//
// The folder rules has a file for each section of CONFORMANCE.md, and in it, for each
// part of each rule, a change of the code that breaks it. At least one of the tests
// that CONFORMANCE.md names has to fail:
//
//	P2: a datagram shorter than its Length is taken
//	wire/frame.go
//	-	if len(b) < n {
//	+	if false {
//
// The lines with "-" are looked for as they are, indentation included, and must
// be found exactly once; a further file name begins changes in another file. A
// line "tests: wire.TestCut relay.TestX" says which of the row's tests to run.
// Tests of cmd, interop, bench and docker are only run when a line names them: they
// are slow, or need other programs.
package main
