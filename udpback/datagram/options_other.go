//go:build !linux

package datagram

import (
	"net"
	"syscall"
)

// setOptions changes nothing where the options of Linux are unknown.
func setOptions(string, string, syscall.RawConn) error { return nil }

// allowFragments changes nothing: DF is not set by default.
func allowFragments(*net.UDPConn) error { return nil }
