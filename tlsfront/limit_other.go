//go:build !unix

package tlsfront

// descriptorLimit returns nil: this system has no such limit.
func descriptorLimit() any { return nil }
