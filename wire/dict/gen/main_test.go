package main

import (
	"bytes"
	"os"
	"testing"
)

// What is compiled is what dictionary.txt says.
func TestPrintedFilesAreCurrent(t *testing.T) {
	text, err := os.ReadFile("../dictionary.txt")
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files(d) {
		got, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what gen prints: run go generate in wire/dict", name)
		}
	}
}
