// Package freeradius imports a directory of FreeRADIUS 3 (raddb), and of FreeRADIUS 2 where
// that has the same: the gateway takes over RadSec, and sends what the server answers
// itself to it over UDP.
//
// Import reads radiusd.conf and what that includes (parse.go, lexer.go, expand.go; skip.go
// for sections that are not imported), and translates it:
//
//	translate.go   the order of the draft
//	listen.go      listen sections with tls: [listen]
//	clients.go     client sections: [[client]]; which of them the gateway itself is
//	servers.go     home_server sections, and FreeRADIUS itself: [[server]]
//	realms.go      realm and home_server_pool sections: [[route]]
package freeradius
