package faults

import (
	"testing"

	"radsec-gw/interop/testbed"
)

const patience = testbed.Patience

func TestMain(m *testing.M) {
	testbed.Main(func(string) (int, error) { return m.Run(), nil })
}
