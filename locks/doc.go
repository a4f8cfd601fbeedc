// Package locks defines the order in which the gateway's locks are acquired, and lets
// tests check it.
//
// Two goroutines that acquire two locks in opposite orders can deadlock. So each kind of
// lock is a [Class], the classes have an order, and a goroutine acquires only locks of
// later classes than those that it holds. A Mutex names its class in its type:
//
//	mu locks.Mutex[locks.Socket] // guards the fields below
//
// A Mutex is a sync.Mutex, at no extra cost. With the build tag lockorder each
// goroutine's locks are recorded, and one that is acquired out of order panics and names
// both. Tests of concurrent packages are run with it:
//
//	go test -tags lockorder ./udpback/...
package locks
