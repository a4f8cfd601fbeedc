//go:build !unix

package files

// public reports whether modes allow everybody to read the file at path: there are none.
func public(string) bool { return false }

// writable returns what modes allow everybody to change: there are none.
func writable(string) string { return "" }
