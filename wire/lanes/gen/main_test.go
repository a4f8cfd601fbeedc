package main

import (
	"bytes"
	"os"
	"testing"
)

// What is compiled is what the generator prints.
func TestPrintedFileIsCurrent(t *testing.T) {
	have, err := os.ReadFile("../blocks_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, source()) {
		t.Error("blocks_amd64.s is not what the generator prints: run go generate in wire/lanes")
	}
}
