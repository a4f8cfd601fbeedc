// Package locks defines the order in which the gateway's locks are acquired, and lets
// tests check it.
//
// Two goroutines that acquire two locks in opposite orders can deadlock. So each kind of
// lock is a [Class], the classes have an order (order.go), and a goroutine acquires only
// locks of later classes than those that it holds. Most are leaves: they are in one group,
// and no other lock of this group is acquired with one of them held. A Mutex names its
// class in its type:
//
//	mu locks.Mutex[locks.Socket] // guards the fields below
//
// A Mutex is a sync.Mutex, at no extra cost. With the build tag lockorder each
// goroutine's locks are recorded, and one that is acquired out of order panics and names
// both. `make race` runs the tests of all packages that have locks with it, for example
//
//	go test -short -tags lockorder ./tlsfront
package locks
