//go:build !lockorder

package locks

import "sync"

// Mutex is a sync.Mutex of a class.
type Mutex[C Class] = sync.Mutex
