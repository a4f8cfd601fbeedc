//go:build unix

package main

import (
	"os"
	"syscall"
)

// scriptSignals are the signals of the script command signal.
var scriptSignals = map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2}
