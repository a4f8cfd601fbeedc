// Command mutants measures how much of the code the tests check: it changes the code in
// one small place after the other, and runs the tests that reach the place. A mutant is
// such a change; it is killed when a test fails, and survives when none does.
//
//	make mutants                                    everything, within an hour on two cores
//	make mutants MUTANTS='-package wire'            one package
//	make mutants MUTANTS='-package wire -run Cut'   keys that match a pattern
//	make mutants MUTANTS='-list -package wire'      the keys, nothing is run
//	make mutants MUTANTS=rules                      each rule of CONFORMANCE.md, broken on purpose
//	make mutants MUTANTS='rules -run P21'
//
// Without make it is go -C tools run ./mutants, with the same arguments.
//
// -o FILE writes the keys of the survivors to a file; -survivors FILE runs only these
// again, which is quick after a new test. Results are kept in -cache DIR, for as long as
// neither the code nor the tests that were there have changed. -shard 2/3 runs the second
// third.
//
// # What is changed
//
//	boundary    < becomes <=, > becomes >=, and back
//	negate      == becomes !=, < becomes >=, if c becomes if !c
//	logic       && becomes ||
//	arithmetic  + becomes -, * becomes /, and back; x++ becomes x--
//	bits        & becomes |, << becomes >>, and back
//	constant    an integer is one more, one less
//	remove      a call, an assignment, x++, a send, a defer or a go is removed
//	return      a value returned becomes zero, true becomes false
//	loop        break becomes continue, and back
//	case        a case does nothing
//
// Not changed are numbers returned beside an error or false, String methods, panics,
// constant declarations, generated files, durations, and the capacities given to make.
//
// # How it is run
//
// All mutants are compiled at once: each is switched on by a number, which a test binary
// reads from its environment (schema.go.txt has the switches). Each test is first run
// alone, which shows how long it takes and which mutants it reaches. A test that fails
// then, with nothing changed, is named and skipped: those that count allocations, for
// example. So is one that needs more processor time than -slow allows, since every
// survivor would have to wait for it. A mutant is run against the tests that reach it,
// the fastest first. One that makes a test take several times as long as before, or wait
// forever, is killed by timeout. Tests run with -short: those that try thousands of random
// schedules try a few then, and always the same.
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
// # Rules broken on purpose
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
// The lines with "-" must be in the file exactly once, with the same indentation; a
// further file name begins changes in another file. A line "tests: wire.TestCut
// relay.TestX" names those of the row's tests to run. Tests of cmd, interop, bench and
// docker are run only when a line names them: they are slow, or need other programs.
package main
