package gateway

import (
	"os"
	"testing"

	"radsec-gw/cluster/natstest"
)

func TestMain(m *testing.M) {
	natstest.Serve()
	os.Exit(m.Run())
}
