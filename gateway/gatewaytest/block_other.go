//go:build !unix

package gatewaytest

import "testing"

// Block skips the test: this system has no named pipes.
func Block(t testing.TB, _ string) { t.Skip("this system has no named pipes") }
