// Package config reads the gateway's TOML file into documented types.
//
// Load reads a file strictly: unknown keys, bad values and dangling names are
// all reported at once, each with its line, its key and what was expected
// (mistakes.go). The files:
//
//	load.go      the order in which a file is read
//	bounds.go    what is refused before it is parsed, and what is not repeated of it
//	table.go     one TOML table, read key by key
//	listen.go, client.go, server.go, route.go, routing.go, metrics.go, log.go, tap.go
//	             a table each: its type, whose comments are the manual, its defaults, and
//	             its reading, which begins with the defaults and replaces what a file
//	             names, so that an explicit zero is never taken for a missing key
//	listener.go  [[listener]] and [[certificate]], and what both [listen] and [[listener]] are
//	addresses.go, crl.go
//	             what [listen] and [[listener]] listen on, and where revocation lists are
//	nas.go, suites.go, listenvalues.go, clientnames.go, clientsource.go
//	             the keys of a server that is a NAS, the cipher suites of TLS 1.2, the named
//	             values of [listen], and keys of a client: the names in its certificate, and
//	             where its requests are sent from
//	dynamic.go, clientreverse.go
//	             [dynamic_authorization], and the keys of a client that is sent CoA
//	spool.go     [spool], the keys of a route whose accounting is stored, and their warnings
//	cluster.go   [cluster]
//	defaults     (a package) the defaults that other packages share
//	values.go, size.go
//	             the forms of single values (networks, fingerprints, sizes, …)
//	secrets.go, secret.go, files.go
//	             secrets and files that the file names
//	mistakes.go, words.go
//	             mistakes, and the words of their texts
//	include.go   several files become one
//	locate.go    the line of each key of a file
//	places.go    the file and line of each key
//	warnings.go, warnroutes.go, warndynamic.go
//	             warnings: what is allowed but is likely a mistake
//
// The package uses no other part of the gateway but files and certs, which read what the
// file names, and routing, which has the syntax of realms. Package gateway translates these
// types into those of other packages.
//
// config.example.toml is the manual for the people who write the file: what it says
// about a key is the comment above the key's field, copied there by
// EXAMPLE=write go test ./config. To add a key, add its field with such a comment, the
// line that reads it, its default, and the key with a value in the example.
package config

// Config is one whole file, checked, with defaults applied and relative paths
// resolved. It is immutable after Load.
type Config struct {
	Path string // the file it was read from, which may include others

	// Other files that belong to this one: names, or patterns with *, ? and [ in the name of
	// the file ("conf.d/*.toml"), relative to the file that has them, and sorted by name. A
	// pattern may match nothing, and skips hidden files and what editors and package
	// managers leave behind ("~", ".bak", ".swp", ".dpkg-old", ".rpmsave", …); a name must
	// exist. The tables [[client]], [[server]] and [[route]] of an included file follow
	// those of the file that includes it, and the first [[client]] that matches counts. A
	// single table, such as [listen], may be in several files, each of its keys in one.
	// Relative paths start at the file that names them. An included file may include
	// others. Like a change of the file itself, a change of an included file, or a new one,
	// takes effect at SIGHUP. At most 1000 files, 16 MiB together. This key belongs above the
	// first table.
	// Default: []
	Include []string

	Listen       Listen
	Listeners    []Listener // in file order; names are unique
	Certificates []Certificate
	Clients      []Client // in file order: the first match wins
	Servers      []Server // names are unique
	Routes       []Route  // in file order, which matters to patterns only
	Rules        []Rule   // in file order, in which they are applied; names are unique
	Routing      Routing

	DynamicAuthorization DynamicAuthorization
	Spool                Spool   // has a meaning if UsesSpool
	Cluster              Cluster // has a meaning if UsesCluster

	Metrics Metrics
	Log     Log
	Tap     Tap

	places         places   // for MistakeAt for Warnings; nil when built by hand
	secretWarnings Mistakes // what Warnings gives of the secrets
	secretFiles    []SecretFile
}

// Names of the kinds of packets in Client.Packets and Route.Packets.
const (
	PacketAccess     = "access"
	PacketAccounting = "accounting"
	PacketCoA        = "coa"
	PacketDisconnect = "disconnect"
)
