// Command gen prints hidden_table.go from testdata/hidden-attributes.tsv: the
// attributes whose values are hidden under the shared secret of a hop. The test
// of the table reads the same file with its own eyes.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
)

// row is one line of the file.
type row struct {
	vendor, number, sub int // sub 0: the attribute itself
	method, tag, format string
	name                string
}

func main() {
	rows, err := read("testdata/hidden-attributes.tsv")
	if err != nil {
		log.Fatal(err)
	}
	source, err := format.Source(table(rows))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("hidden_table.go", source, 0o644); err != nil {
		log.Fatal(err)
	}
}

func read(path string) ([]row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []row
	lines := bufio.NewScanner(f)
	lines.Scan() // the header
	for n := 2; lines.Scan(); n++ {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 9 {
			return nil, fmt.Errorf("%s:%d: expected 9 columns, got %d", path, n, len(fields))
		}
		var r row
		number, sub, _ := strings.Cut(fields[1], ".")
		for _, cell := range []struct {
			to   *int
			text string
		}{{&r.vendor, fields[0]}, {&r.number, number}, {&r.sub, "0" + sub}} {
			if *cell.to, err = strconv.Atoi(cell.text); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, n, err)
			}
		}
		r.method = map[string]string{"1": "methodUserPassword", "2": "methodSalted", "3": "methodAscend", "4": "methodSalted | ruleLEAP"}[fields[2]]
		r.format = map[string]string{"-": "formatNone", "1,1": "format11", "2,1": "format21", "1,1,c": "format11c"}[fields[6]]
		if r.method == "" || r.format == "" {
			return nil, fmt.Errorf("%s:%d: unknown encryption %q or format %q", path, n, fields[2], fields[6])
		}
		if fields[4] == "yes" {
			r.tag = " | ruleTagged"
		}
		r.name = fields[7]
		rows = append(rows, r)
	}
	return rows, lines.Err()
}

func table(rows []row) []byte {
	var b bytes.Buffer
	b.WriteString("// Code generated from testdata/hidden-attributes.tsv by gen; DO NOT EDIT.\n\npackage wire\n\n")
	b.WriteString("// hiddenAttributes lists every attribute hidden under the secret; read only.\n")
	b.WriteString("var hiddenAttributes = [...]hiddenAttribute{\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "{%d, %d, %d, %s%s, %s, %q},\n", r.vendor, r.number, r.sub, r.method, r.tag, r.format, r.name)
	}
	b.WriteString("}\n\n// standardRules holds the rules of attributes without a vendor; read only.\nvar standardRules = [256]rule{\n")
	for _, r := range rows {
		if r.vendor == 0 {
			fmt.Fprintf(&b, "%d: %s%s,\n", r.number, r.method, r.tag)
		}
	}
	b.WriteString("}\n\n// vendorFormat returns how a vendor of the table lays out its attributes,\n// formatNone when the table does not know it.\nfunc vendorFormat(vendor uint32) format {\nswitch vendor {\n")
	var formats cases
	seen := map[int]bool{0: true}
	for _, r := range rows {
		if !seen[r.vendor] {
			seen[r.vendor] = true
			formats.add(r.format, r.vendor, strconv.Itoa(r.vendor))
		}
	}
	formats.write(&b)
	b.WriteString("}\nreturn formatNone\n}\n\n// vendorRule returns the rule of a vendor's attribute, or of the TLV sub\n// inside it when sub is not 0; 0 when it is not hidden.\nfunc vendorRule(vendor uint32, number uint16, sub byte) rule {\n")
	b.WriteString("switch uint64(vendor)<<24 | uint64(number)<<8 | uint64(sub) {\n")
	var rules cases
	parents := map[string]bool{}
	for _, r := range rows {
		if r.vendor == 0 {
			continue
		}
		key := fmt.Sprintf("%d<<24 | %d<<8", r.vendor, r.number)
		if r.sub != 0 {
			if !parents[key] {
				parents[key] = true
				rules.add("ruleTLVs", r.vendor, key)
			}
			key = fmt.Sprintf("%s | %d", key, r.sub)
		}
		rules.add(r.method+r.tag, r.vendor, key)
	}
	rules.write(&b)
	b.WriteString("}\nreturn 0\n}\n")
	return b.Bytes()
}

// cases are the cases of a switch, one for each result, in the order in which the
// results were first added.
type cases []*oneCase

type oneCase struct {
	result string
	vendor int // of the last value
	inLine int // values in the last line
	values strings.Builder
}

// add adds a value; those of one vendor stand in one line while they fit.
func (c *cases) add(result string, vendor int, value string) {
	i := slices.IndexFunc(*c, func(one *oneCase) bool { return one.result == result })
	if i < 0 {
		*c = append(*c, &oneCase{result: result, vendor: vendor, inLine: 1})
		(*c)[len(*c)-1].values.WriteString(value)
		return
	}
	const most = 6
	one := (*c)[i]
	separator := ", "
	if strings.Contains(value, "<<") && vendor != one.vendor || one.inLine == most {
		separator, one.inLine = ",\n", 0
	}
	one.vendor, one.inLine = vendor, one.inLine+1
	one.values.WriteString(separator + value)
}

func (c cases) write(b *bytes.Buffer) {
	for _, one := range c {
		fmt.Fprintf(b, "case %s:\nreturn %s\n", one.values.String(), one.result)
	}
}
