// Command gen prints dictionary.txt as Go: table.go, which people's names and
// types come from, and ../hidden_table.go, which the packets' path looks up.
package main

import (
	"go/format"
	"log"
	"os"
)

func main() {
	text, err := os.ReadFile("dictionary.txt")
	if err != nil {
		log.Fatal(err)
	}
	d, err := parse(string(text))
	if err != nil {
		log.Fatalf("dictionary.txt:%v", err)
	}
	for name, source := range files(d) {
		if err := os.WriteFile(name, source, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// files returns the Go files of a dictionary, formatted, by their names.
func files(d *dictionary) map[string][]byte {
	out := map[string][]byte{"table.go": namesFile(d), "../hidden_table.go": hiddenFile(d)}
	for name, source := range out {
		formatted, err := format.Source(source)
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		out[name] = formatted
	}
	return out
}
