package twin

import (
	_ "embed"
	"strconv"
	"strings"
)

// Method is how a value is hidden under the secret.
type Method byte

const (
	Plain    Method = iota
	Password        // RFC 2865 §5.2, RFC 2548 §2.4.1
	Salted          // RFC 2548 §2.4.2
	Tagged          // RFC 2868 §3.5: a tag octet before the salt
	Ascend          // one block, XOR MD5(authenticator, secret)
)

// Layouts of the attributes inside a Vendor-Specific: octets of type, octets of
// length, and WiMAX's continuation octet.
const (
	layout11  = "1,1"
	layout21  = "2,1"
	layout11c = "1,1,c"
)

// Vendor numbers that are handled specially.
const (
	Cisco     = 9
	Microsoft = 311
)

// Key names an attribute: its vendor (0: none), its type, and the TLV in it (0: itself).
type Key struct {
	Vendor uint32
	Type   int
	Sub    byte
}

// leapPrefix begins the Cisco-AVPair that continues with a salted value.
const leapPrefix = "leap:session-key="

// published is how the vendors' published dictionaries hide attributes.
//
//go:embed hidden-attributes.tsv
var published string

// vendors holds the layout of each vendor that hides something, Hidden every attribute that
// is hidden under the secret, containers the vendors' attributes that are rows of TLVs of
// which some are hidden.
var vendors, Hidden, containers = tables()

// methods has the methods of the published table by its columns hiding and tagged.
var methods = map[string]Method{"1 no": Password, "2 no": Salted, "2 yes": Tagged, "3 no": Ascend}

func tables() (layouts map[uint32]string, hidden map[Key]Method, rows map[Key]bool) {
	layouts, hidden, rows = map[uint32]string{}, map[Key]Method{}, map[Key]bool{}
	for line := range strings.Lines(published) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		vendor, err := strconv.ParseUint(f[0], 10, 32)
		if err != nil { // the header
			continue
		}
		if vendor != 0 {
			layouts[uint32(vendor)] = f[6]
		}
		number, tlv, inside := strings.Cut(f[1], ".")
		key := Key{Vendor: uint32(vendor), Type: atoi(number)}
		if inside {
			rows[key] = true
			key.Sub = byte(atoi(tlv))
		}
		if f[2] == "4" { // leap:session-key=, which does not depend on the type alone
			continue
		}
		how, ok := methods[f[2]+" "+f[4]]
		if !ok {
			panic("the table of hidden attributes has a method that the twin does not know: " + line)
		}
		hidden[key] = how
	}
	return layouts, hidden, rows
}

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic("the table of hidden attributes: " + err.Error())
	}
	return n
}

func container(vendor uint32, t int) bool { return containers[Key{vendor, t, 0}] }
