// Package importer holds what the importers of other programs' configurations have in
// common: they read files (source.go), and write a configuration of the gateway with a
// comment for each thing that could not be carried over (draft.go, toml.go). names.go has
// the names of tables; listen.go has what both decide about addresses.
//
// The importers are packages of their own: importer/radsecproxy and importer/freeradius.
// What they write may still name files that are missing; `radsec-gw check` lists them.
package importer
