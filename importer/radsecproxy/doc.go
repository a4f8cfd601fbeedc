// Package radsecproxy imports the configuration of radsecproxy 1.6 to 1.11, as
// radsecproxy.conf(5) describes it.
//
// Import reads the file and those that it includes (parse.go), and translates them:
//
//	translate.go   the order of the draft, and the basic options
//	options.go     the options of each kind of block
//	tls.go         the tls blocks that clients use: [listen], [[listener]], ca of a [[client]]
//	clients.go     client blocks: [[client]]; match.go their conditions on certificates
//	servers.go     server blocks: [[server]]
//	realms.go      realm blocks: [[route]], where the first block in the file that matches a
//	               User-Name counts, which the gateway's order would not keep
//	pattern.go     the regular expressions of realms
//	rewrite.go     rewrite blocks: [[rule]]; apply.go which of them a client or server uses
//	expression.go  their regular expressions; value.go their numbers and values
package radsecproxy
