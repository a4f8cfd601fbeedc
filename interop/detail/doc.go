// Package detail tests package spool/detail against the FreeRADIUS that is installed: its server
// reads what the package writes and writes what the package reads, radclient sends it, and every
// name is looked up in its dictionary.
//
//	server_test.go      FreeRADIUS with the default configuration of its module detail
//	read_test.go        it reads records, by a listen section of type detail
//	written_test.go     records that it has written
//	radclient_test.go   radclient sends records, as the documentation says
//	dictionary_test.go  names and types in its dictionary
//
// The tests need Debian's packages freeradius and freeradius-utils, as root, because others may
// not read its configuration.
package detail
