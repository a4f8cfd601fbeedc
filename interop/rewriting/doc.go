// Package rewriting compares the gateway's attribute rules with radsecproxy's, packet by
// packet: the same request, or the same reply, under the same rewriting, octet by octet.
//
//	cases_test.go    the cases: what radsecproxy is told, what the gateway is told, what
//	                 both make of it, and why they differ where they do
//	radsecproxy_test.go, gateway_test.go
//	                 the two programs, with a client for each case
//	server_test.go   the server behind both, which shows what it was sent
//	table_test.go    the comparison
//	import_test.go   the same with the rules that the import makes of radsecproxy's
//
// Each case has a client of its own, known by its address of 127.0.0.0/8, at both programs.
package rewriting
