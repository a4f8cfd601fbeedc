package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"radsec-gw": main})
}

// The scripts of testdata/script are sessions in a terminal. Commands other than testscript's own
// are in scriptcommands_test.go.
func TestScripts(t *testing.T) {
	// What a program ignores its children ignore: under nohup this would be SIGHUP.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangup) })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[backgroundKey] = &background{env: env.Vars, programs: map[string]*exec.Cmd{}}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "installed" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			_, err := os.Stat(systemConfig)
			return !errors.Is(err, fs.ErrNotExist), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   scriptExits,
			"matches": scriptMatches,
			"await":   scriptAwait,
			"start":   scriptStart,
			"signal":  scriptSignal,
			"ends":    scriptEnds,
			"udpport": scriptUDPPort,
		},
	})
}
