// Package faults tests the built gateway from outside, one test for each fault that was once
// found that way: what the operator reads, and what the client and the server see. A test says what
// is right; its line "Fault T2." has the number that the fault was given when it was found.
//
// Each test has a bed of its own (bed_test.go): a folder with certificates and a configuration, a
// UDP server that does what the test says, and the program, which it runs with check or serve.
//
//	client (client_test.go) --TLS--> radsec-gw serve --UDP--> server (server_test.go)
//
//	bed_test.go      certificates, files and configuration; radsec-gw check
//	pki_test.go      certificates and lists that package certs does not make by itself
//	gateway_test.go  radsec-gw serve; its log, pages and reload are in ../testbed
//	client_test.go   a RadSec client
//	server_test.go   a UDP server
//	packet_test.go   RADIUS packets as octets
//
// A bed serves a client with a good certificate as it is. A test changes what it is about:
//
//	b := newBed(t)
//	b.listen = `crl = ["ca.crl"]`
//	b.write("ca.crl", list)
//	g := b.serve()
//	if err := g.admits(b.client); err == nil {
//		t.Error("…")
//	}
//
// More faults have their tests elsewhere: those of changing networks in interop/world, those against
// programs that others wrote in interop.
//
//	go test ./interop/faults                    some seconds
//	go test ./interop/faults -args -binary FILE another build of the gateway
package faults
