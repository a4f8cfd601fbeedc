//go:build linux && !race

package tlsfront

import (
	"syscall"
	"unsafe"
)

// directCalls reports that readNow and writeNow work on sockets of this system.
const directCalls = true

// readNow and writeNow are read(2) and write(2) on a socket that does not block.
// Unlike syscall.Read and syscall.Write they do not notify the scheduler: they never
// block, and the notification wakes the runtime's monitor thread each time that the
// process was idle, which at low load costs as much as the call itself.
func readNow(fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return result(n, errno)
}

func writeNow(fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return result(n, errno)
}

func result(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
