//go:build !unix

package tlsfront

import "errors"

// directCalls reports that readNow and writeNow do not work on this system: connections
// are read and written through package net.
const directCalls = false

func readNow(uintptr, []byte) (int, error)  { return 0, errors.ErrUnsupported }
func writeNow(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
