// Package control lets people look at the records of a spool and say what becomes of them,
// whether the gateway runs or not.
//
// A running gateway has its database to itself. It serves HTTP on a socket in the spool's
// directory, which only its own user and root can open (server.go). [Open] returns a [Client]
// that uses that socket if somebody serves it; otherwise it opens the database itself, and the
// gateway cannot until the Client is closed (client.go). Both give the same answers.
//
//	GET  /records?after=NUMBER   the records, a Line of JSON each
//	GET  /export?numbers=LIST    all records, or those with these numbers, in FreeRADIUS's detail format
//	POST /retry                  a Retried: waits end, what was set aside is brought back
//	POST /drop                   a Dropped: removes the records of the body, a LIST; with all=1 every one
//	                             A LIST is numbers with commas between them.
//	POST /import?client=NAME     an Imported: stores the records of the body, in the detail format
//
// Rules: SP14.
package control
