// Package relay carries a request from a RadSec client to a UDP server and its
// reply back, signed anew on each side.
//
// Start with relay.go: [Link.Packet] is the way of a request and
// [exchange.Reply] the way of its reply, with the steps numbered. The other
// files hold one step each: duplicates.go what a client has sent lately,
// answers.go what the gateway answers by itself, refusal.go what it does not
// take at all, observe.go whom the end of a request is told.
//
// A [Link] is one RadSec connection. Its Packet and Flush belong to the
// connection's read loop; replies come from the servers' readers at any time.
// Every packet gets exactly one fate (package metrics).
package relay
