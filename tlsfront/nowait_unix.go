//go:build unix && (!linux || race)

package tlsfront

import "syscall"

// directCalls says that readNow and writeNow work on sockets of this system.
const directCalls = true

// These, unlike those of nowait_linux.go, tell the race detector that a write happens
// before the read that returns its bytes.

func readNow(fd uintptr, b []byte) (int, error)  { return syscall.Read(int(fd), b) }
func writeNow(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
