//go:build !linux

package datagram

import "syscall"

// setOptions changes nothing where the options of Linux are unknown.
func setOptions(string, string, syscall.RawConn) error { return nil }
