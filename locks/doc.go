// Package locks states in which order the gateway's locks are acquired, and has tests
// hold it.
//
// Two goroutines that acquire two locks in opposite orders can wait for each other for
// ever. So each kind of lock is a [Class], the classes have an order, and a goroutine
// acquires only locks of later classes than those that it holds. A Mutex names its class
// in its type:
//
//	mu locks.Mutex[locks.Socket] // guards the fields below
//
// In a gateway a Mutex is a sync.Mutex and costs what that costs. With the build tag
// lockorder each goroutine's locks are recorded, and one that is acquired out of order
// panics and names both. Tests of concurrent packages are run with it:
//
//	go test -tags lockorder ./udpback/...
package locks
