package twin

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

// vendors holds the layout of each vendor that hides something.
var vendors = map[uint32]string{
	Cisco: layout11, 161: layout11, Microsoft: layout11, 529: layout11, 831: layout11, 2356: layout11,
	4846: layout21, 4874: layout11, 5535: layout11, 6527: layout11, 8742: layout11, 14823: layout11,
	24757: layout11c, 26928: layout11, 41112: layout11, 50058: layout11,
}

// Hidden is every attribute that is hidden under the secret.
var Hidden = hidden()

func hidden() map[Key]Method {
	m := map[Key]Method{
		{0, userPassword, 0}: Password, {0, 69, 0}: Tagged, {0, 214, 0}: Ascend, {0, 215, 0}: Ascend,
		{Microsoft, 12, 0}: Password, {14823, 66, 0}: Password,
		{24757, 86, 3}: Salted, {24757, 87, 3}: Salted, {41112, 5, 2}: Salted, {41112, 5, 3}: Salted,
	}
	add := func(how Method, vendor uint32, types ...int) {
		for _, t := range types {
			m[Key{vendor, t, 0}] = how
		}
	}
	add(Ascend, 529, 214, 215)
	add(Ascend, 4846, 214, 215)
	add(Tagged, 2356, 19, 20, 33)
	add(Salted, 161, 11)
	add(Salted, Microsoft, 16, 17)
	add(Salted, 831, 116, 117, 118, 119)
	add(Salted, 4874, 58, 59, 60, 61)
	add(Salted, 5535, 58)
	add(Salted, 6527, 122, 123, 124, 125, 138, 139, 142)
	add(Salted, 8742, 44)
	add(Salted, 14823, 44, 72)
	add(Salted, 24757, 5, 10, 12, 14, 15, 19, 40, 66, 67, 70, 75, 131)
	add(Salted, 26928, 3)
	add(Salted, 41112, 6)
	add(Salted, 50058, 140, 141, 142, 143, 144, 145)
	return m
}

// containers holds the vendors' attributes that are rows of TLVs of which some are hidden.
var containers = map[Key]bool{{24757, 86, 0}: true, {24757, 87, 0}: true, {41112, 5, 0}: true}

func container(vendor uint32, t int) bool { return containers[Key{vendor, t, 0}] }
