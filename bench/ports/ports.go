// Package ports finds ports for programs that are started a moment later, and cannot choose
// them by themselves.
package ports

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
)

// The ports are from first to last: below those that a system gives to whoever connects without
// choosing one, who could otherwise get the same port before the program that it is for.
const (
	first = 10000
	last  = 32767
)

// attempts bounds how many ports are tried.
const attempts = 1000

// TCP returns n different ports of 127.0.0.1 on which nothing listened a moment ago.
func TCP(n int) ([]int, error) {
	return find(n, func(address string) (io.Closer, error) { return net.Listen("tcp4", address) })
}

// UDP returns n different ports of 127.0.0.1 that nothing had open a moment ago.
func UDP(n int) ([]int, error) {
	return find(n, func(address string) (io.Closer, error) { return net.ListenPacket("udp4", address) })
}

// Address returns a TCP address of 127.0.0.1 on which nothing listened a moment ago.
func Address() (string, error) {
	list, err := TCP(1)
	if err != nil {
		return "", err
	}
	return address(list[0]), nil
}

// find opens n ports by open, closes them, and returns them.
func find(n int, open func(address string) (io.Closer, error)) (list []int, err error) {
	for range attempts {
		if len(list) == n {
			return list, nil
		}
		port := first + rand.IntN(last-first+1)
		c, openErr := open(address(port))
		switch {
		case openErr == nil:
			defer c.Close() // all stay open until the last is found, so they differ
			list = append(list, port)
		case !errors.Is(openErr, syscall.EADDRINUSE):
			return nil, openErr
		default:
			err = openErr
		}
	}
	return nil, fmt.Errorf("expected %d free ports of 127.0.0.1 from %d to %d, found %d: %w", n, first, last, len(list), err)
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
