package spool

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// copyOf copies the files of a spool, as they are when its process is killed.
func copyOf(t *testing.T, directory string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{databaseName, keyName} {
		text, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// A process that is killed has lost no record that was acknowledged: the servers have it, or the
// next process. Nothing needs to be repaired.
//
// Rules: SP2, SP9
func TestKilled(t *testing.T) {
	seed := anySeed(t)
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 3))
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.Start(t.Context())
		acknowledged, delivered := map[string]bool{}, map[string]bool{}
		for round := range 20 {
			for i := range 1 + r.IntN(30) {
				b.add(sample{fmt.Sprint("s", round, "-", i), start, 0})
			}
			pass(time.Duration(r.IntN(100)) * time.Millisecond)
			release := current().block() // so that the copy is of one moment
			b.add(sample{fmt.Sprint("t", round), start, 0})
			synctest.Wait()
			for _, name := range b.owner.acknowledged() {
				acknowledged[name] = true
			}
			for _, name := range b.owner.names() { // answered, or about to be
				delivered[name] = true
			}
			killed := copyOf(t, b.Directory())
			if damage, err := checkDatabase(filepath.Join(killed, databaseName)); damage != nil || err != nil {
				t.Fatalf("round %d: expected a sound database, got %v, %v", round, damage, err)
			}
			next := newBed(t, killed, roomy)
			have := map[string]bool{}
			for _, name := range next.kept() {
				have[name] = true
			}
			next.close()
			for name := range acknowledged {
				if !have[name] && !delivered[name] {
					t.Errorf("round %d: expected %s, which was acknowledged", round, name)
				}
			}
			release()
			synctest.Wait()
		}
	})
}
