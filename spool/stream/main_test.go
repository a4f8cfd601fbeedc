package stream

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"radsec-gw/cluster/natstest"
)

func TestMain(m *testing.M) {
	natstest.Serve()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}
