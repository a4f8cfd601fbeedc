package probe

import (
	"strconv"
	"strings"

	"layeh.com/radius/debug"
	"layeh.com/radius/dictionary"
)

// hiding says how an attribute's value is concealed with the secret.
type hiding uint8

const (
	inClear      hiding = iota
	likePassword        // RFC 2865 §5.2
	withSalt            // RFC 2868 §3.5, RFC 2548 §2.4.2
	likeAscend          // XOR with MD5(Request Authenticator + secret), as Ascend's and Lucent's secrets
)

// attribute is what the probe knows of one attribute: how to print it and how to read it from the
// command line.
type attribute struct {
	vendor int    // 0: not Vendor-Specific
	path   string // types from the outside in: "69", "241.4", "5.2"
	form   dictionary.AttributeType
	hidden hiding
	tagged bool // RFC 2868 §3
	name   string
}

// attributeNames finds attributes by name and by place.
type attributeNames struct {
	byName  map[string]attribute // lower case
	byPlace map[string]attribute // placeOf
	parents map[string]bool      // places whose value holds further attributes
	values  []*dictionary.Value  // names of integer values
}

// newAttributeNames joins the library's RFC dictionary with the rows below.
func newAttributeNames() *attributeNames {
	n := &attributeNames{
		byName:  map[string]attribute{},
		byPlace: map[string]attribute{},
		parents: map[string]bool{},
		values:  debug.IncludedDictionary.Values,
	}
	for _, a := range debug.IncludedDictionary.Attributes {
		n.add(attribute{path: a.OID.String(), form: a.Type, name: a.Name})
	}
	for _, a := range furtherAttributes() {
		n.add(a)
	}
	for _, a := range hiddenAttributes {
		n.add(a)
	}
	return n
}

func (n *attributeNames) add(a attribute) {
	n.byPlace[placeOf(a.vendor, a.path)] = a
	n.byName[strings.ToLower(a.name)] = a
	if cut := strings.LastIndexByte(a.path, '.'); cut > 0 {
		n.parents[placeOf(a.vendor, a.path[:cut])] = true
	}
}

// valueName is the dictionary's name of an integer value, "" when it has none.
func (n *attributeNames) valueName(attribute string, number uint64) string {
	for _, v := range n.values {
		if v.Attribute == attribute && v.Number == number {
			return v.Name
		}
	}
	return ""
}

// valueNumber is the reverse of valueName; case does not matter.
func (n *attributeNames) valueNumber(attribute, name string) (uint64, bool) {
	for _, v := range n.values {
		if v.Attribute == attribute && strings.EqualFold(v.Name, name) {
			return v.Number, true
		}
	}
	return 0, false
}

func placeOf(vendor int, path string) string { return strconv.Itoa(vendor) + "/" + path }

// Vendors that the probe names attributes of, or whose attributes have a form of their own.
const (
	vendorMicrosoft = 311
	vendorLucent    = 4846  // two octets of type
	vendorWiMAX     = 24757 // an octet of continuation flags after the length
)

// furtherAttributes are those in clear that replies often hold and the library's dictionary lacks.
func furtherAttributes() []attribute {
	const (
		text, octets = dictionary.AttributeString, dictionary.AttributeOctets
		integer      = dictionary.AttributeInteger
		ipv6, prefix = dictionary.AttributeIPv6Addr, dictionary.AttributeIPv6Prefix
	)
	return []attribute{
		{0, "56", integer, inClear, false, "Egress-VLANID"}, // RFC 4675
		{0, "58", text, inClear, false, "Egress-VLAN-Name"},
		{0, "64", integer, inClear, true, "Tunnel-Type"}, // RFC 2868
		{0, "65", integer, inClear, true, "Tunnel-Medium-Type"},
		{0, "66", text, inClear, true, "Tunnel-Client-Endpoint"},
		{0, "67", text, inClear, true, "Tunnel-Server-Endpoint"},
		{0, "81", text, inClear, true, "Tunnel-Private-Group-Id"},
		{0, "82", text, inClear, true, "Tunnel-Assignment-Id"},
		{0, "83", integer, inClear, true, "Tunnel-Preference"},
		{0, "89", octets, inClear, false, "Chargeable-User-Identity"}, // RFC 4372
		{0, "90", text, inClear, true, "Tunnel-Client-Auth-Id"},
		{0, "91", text, inClear, true, "Tunnel-Server-Auth-Id"},
		{0, "92", text, inClear, false, "NAS-Filter-Rule"},            // RFC 4849
		{0, "102", octets, inClear, false, "EAP-Key-Name"},            // RFC 4072
		{0, "123", prefix, inClear, false, "Delegated-IPv6-Prefix"},   // RFC 4818
		{0, "126", text, inClear, false, "Operator-Name"},             // RFC 5580
		{0, "168", ipv6, inClear, false, "Framed-IPv6-Address"},       // RFC 6911
		{0, "241.4", integer, inClear, false, "Original-Packet-Code"}, // RFC 7930
		{vendorMicrosoft, "2", octets, inClear, false, "MS-CHAP-Error"},
		{vendorMicrosoft, "7", integer, inClear, false, "MS-MPPE-Encryption-Policy"},
		{vendorMicrosoft, "8", integer, inClear, false, "MS-MPPE-Encryption-Types"},
		{vendorMicrosoft, "10", text, inClear, false, "MS-CHAP-Domain"},
		{vendorMicrosoft, "26", octets, inClear, false, "MS-CHAP2-Success"},
	}
}
