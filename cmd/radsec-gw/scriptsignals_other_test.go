//go:build !unix

package main

import "os"

// scriptSignals are the signals of the script command signal: this system has one.
var scriptSignals = map[string]os.Signal{"INT": os.Interrupt}
