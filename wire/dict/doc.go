// Package dict is the dictionary of RADIUS attributes: number, vendor, name,
// type, how the shared secret hides the value, and the names of values. It is for
// attributes that people read or write. For packets being relayed package wire has tables
// of its own, generated from the same file.
//
// The files in the order in which to read them:
//
//	dictionary.txt  the dictionary, an attribute a line; the only file to edit
//	attribute.go    an Attribute, its Type and how it is hidden
//	lookup.go       finding attributes by number, by name, all of them
//	value.go        the names of an attribute's values
//	text.go         a value as people write it, and back
//	table.go        generated from dictionary.txt by gen
package dict

//go:generate go run ./gen
