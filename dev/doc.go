// Package dev is radsec-gw dev: everything on one machine, without a configuration, for a
// first look. [Run] makes certificates, starts a RADIUS server with one user and a gateway
// in front of it, sends a first request through both and a Disconnect-Request the other way,
// and prints commands to try next.
//
//	dev.go       Run, step by step
//	dev.toml     the gateway's configuration, as an operator would write it
//	server.go    the RADIUS server
//	reverse.go   the NAS, and the Disconnect-Request that the server sends it
//	address.go   ports that are in use
//	commands.go  the commands to try next
//
// Nothing remains when it ends: certificates and configuration are in a temporary folder.
package dev
