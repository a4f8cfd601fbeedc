// Package dynauth is reverse CoA: it takes the CoA-Requests and Disconnect-Requests that UDP
// servers send to the gateway, and sends each down the RadSec connection of its NAS, which
// nobody could reach otherwise (RFC 5176, RFC 8559, draft-ietf-radext-reverse-coa).
//
// The path of a request, with the steps numbered in receive.go:
//
//	Listener         a UDP socket that answers from the address that was asked (listener.go)
//	worker.handle    drops what is not from a known sender, does not verify or is not fresh
//	Server.admit     keeps duplicates from being sent down twice (duplicates.go)
//	Server.choose    finds the connection (choose.go)
//	Link.reserve     reserves an Identifier, or a Token, on it (link.go)
//	worker.send      sends the NAS's copy (send.go); deadline.go has the time until when it waits
//
// The path of its answer:
//
//	Replies.Add      matches a packet of the client with a request that was sent to it
//	Replies.Finish   writes the sender's copy, and sends it (reply.go)
//	Server.finish    keeps it for duplicates, and records the fate (request.go)
//
// A request ends in one of four ways: it is refused with a NAK, it is answered, it is not
// answered in time, or its connection ends. After it was sent it belongs to whoever takes it
// from its Link first.
//
// With other gateways ([Others]) a request that has no connection here, or only one that another
// gateway may know better, is handed to them as a [Question], which it belongs to until somebody
// ends that: others.go, and name.go for how they find each other's NASes. What they hand to this
// gateway is checked and sent down as if it had arrived by UDP: passed.go.
//
// What connections carry is learned from the clients' own requests (learn.go): each names its
// NAS, and after the server's answer its session. The table is bounded (learned.go,
// nases.go). Its keys are hashes of names (keys.go).
//
// A [Client] is a configured client, and a [Link] one connection of it. Package relay calls
// Arrived and Answered of a Link, and hands it the client's answers.
//
// All locks are leaves: none is acquired while another of this package is held, and nothing
// that could wait is called with one.
package dynauth
