//go:build !lockorder

package locks

import (
	"sync"
	"testing"
)

// In a gateway a Mutex is a sync.Mutex.
func TestMutexCostsNothing(t *testing.T) {
	var m Mutex[Socket]
	var _ *sync.Mutex = &m
}
