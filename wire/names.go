package wire

import "fmt"

// Names for people: in what Reveal returns, and nowhere on a packet's path.
// layeh.com/radius knows the numbers at run time, but not how they are written.

// vendorMicrosoft is Microsoft's number in Vendor-Specific (RFC 2548).
const vendorMicrosoft = 311

// CodeName returns a code as the RFCs write it, with the Protocol-Error that
// layeh.com/radius does not know.
func CodeName(c Code) string {
	if c == CodeProtocolError {
		return "Protocol-Error"
	}
	return c.String()
}

// AttributeName returns the name of an attribute type as IANA's registry of
// RADIUS types writes it, "Attr-…" for one without.
func AttributeName(t byte) string {
	if name := standardNames[t]; name != "" {
		return name
	}
	return fmt.Sprintf("Attr-%d", t)
}

// VendorAttributeName returns the name of a vendor's attribute, or of the TLV
// sub in it when sub is not 0. Known are Microsoft's and every hidden one;
// others are named by their numbers, and number 0 stands for a Vendor-Specific
// whose inside could not be read.
func VendorAttributeName(vendor uint32, number, sub int) string {
	if vendor == vendorMicrosoft && sub == 0 && uint(number) < uint(len(microsoftNames)) && microsoftNames[number] != "" {
		return microsoftNames[number]
	}
	for i := range hiddenAttributes {
		a := &hiddenAttributes[i]
		if a.vendor == vendor && vendor != 0 && int(a.number) == number && int(a.sub) == sub {
			return a.name
		}
	}
	switch {
	case sub != 0:
		return fmt.Sprintf("Vendor-%d-Attr-%d.%d", vendor, number, sub)
	case number != 0:
		return fmt.Sprintf("Vendor-%d-Attr-%d", vendor, number)
	}
	return fmt.Sprintf("Vendor-%d", vendor)
}

// extendedName names an extended attribute (RFC 6929 §2).
func extendedName(t, number byte) string {
	if t == typeExtended1 {
		switch number {
		case 1:
			return "Frag-Status" // RFC 7499 §9
		case 2:
			return "Proxy-State-Length"
		case 3:
			return "Response-Length" // RFC 7930 §4
		case extOriginalPacketCode:
			return "Original-Packet-Code"
		case 8:
			return "Operator-NAS-Identifier" // RFC 8559 §3.4
		}
	}
	return fmt.Sprintf("Attr-%d.%d", t, number)
}

// standardNames is IANA's registry of attribute types; read only.
var standardNames = [256]string{
	1:   "User-Name",
	2:   "User-Password",
	3:   "CHAP-Password",
	4:   "NAS-IP-Address",
	5:   "NAS-Port",
	6:   "Service-Type",
	7:   "Framed-Protocol",
	8:   "Framed-IP-Address",
	9:   "Framed-IP-Netmask",
	10:  "Framed-Routing",
	11:  "Filter-Id",
	12:  "Framed-MTU",
	13:  "Framed-Compression",
	14:  "Login-IP-Host",
	15:  "Login-Service",
	16:  "Login-TCP-Port",
	18:  "Reply-Message",
	19:  "Callback-Number",
	20:  "Callback-Id",
	22:  "Framed-Route",
	23:  "Framed-IPX-Network",
	24:  "State",
	25:  "Class",
	26:  "Vendor-Specific",
	27:  "Session-Timeout",
	28:  "Idle-Timeout",
	29:  "Termination-Action",
	30:  "Called-Station-Id",
	31:  "Calling-Station-Id",
	32:  "NAS-Identifier",
	33:  "Proxy-State",
	34:  "Login-LAT-Service",
	35:  "Login-LAT-Node",
	36:  "Login-LAT-Group",
	37:  "Framed-AppleTalk-Link",
	38:  "Framed-AppleTalk-Network",
	39:  "Framed-AppleTalk-Zone",
	40:  "Acct-Status-Type",
	41:  "Acct-Delay-Time",
	42:  "Acct-Input-Octets",
	43:  "Acct-Output-Octets",
	44:  "Acct-Session-Id",
	45:  "Acct-Authentic",
	46:  "Acct-Session-Time",
	47:  "Acct-Input-Packets",
	48:  "Acct-Output-Packets",
	49:  "Acct-Terminate-Cause",
	50:  "Acct-Multi-Session-Id",
	51:  "Acct-Link-Count",
	52:  "Acct-Input-Gigawords",
	53:  "Acct-Output-Gigawords",
	55:  "Event-Timestamp",
	56:  "Egress-VLANID",
	57:  "Ingress-Filters",
	58:  "Egress-VLAN-Name",
	59:  "User-Priority-Table",
	60:  "CHAP-Challenge",
	61:  "NAS-Port-Type",
	62:  "Port-Limit",
	63:  "Login-LAT-Port",
	64:  "Tunnel-Type",
	65:  "Tunnel-Medium-Type",
	66:  "Tunnel-Client-Endpoint",
	67:  "Tunnel-Server-Endpoint",
	68:  "Acct-Tunnel-Connection",
	69:  "Tunnel-Password",
	70:  "ARAP-Password",
	71:  "ARAP-Features",
	72:  "ARAP-Zone-Access",
	73:  "ARAP-Security",
	74:  "ARAP-Security-Data",
	75:  "Password-Retry",
	76:  "Prompt",
	77:  "Connect-Info",
	78:  "Configuration-Token",
	79:  "EAP-Message",
	80:  "Message-Authenticator",
	81:  "Tunnel-Private-Group-Id",
	82:  "Tunnel-Assignment-Id",
	83:  "Tunnel-Preference",
	84:  "ARAP-Challenge-Response",
	85:  "Acct-Interim-Interval",
	86:  "Acct-Tunnel-Packets-Lost",
	87:  "NAS-Port-Id",
	88:  "Framed-Pool",
	89:  "Chargeable-User-Identity",
	90:  "Tunnel-Client-Auth-Id",
	91:  "Tunnel-Server-Auth-Id",
	92:  "NAS-Filter-Rule",
	94:  "Originating-Line-Info",
	95:  "NAS-IPv6-Address",
	96:  "Framed-Interface-Id",
	97:  "Framed-IPv6-Prefix",
	98:  "Login-IPv6-Host",
	99:  "Framed-IPv6-Route",
	100: "Framed-IPv6-Pool",
	101: "Error-Cause",
	102: "EAP-Key-Name",
	103: "Digest-Response",
	104: "Digest-Realm",
	105: "Digest-Nonce",
	106: "Digest-Response-Auth",
	107: "Digest-Nextnonce",
	108: "Digest-Method",
	109: "Digest-URI",
	110: "Digest-Qop",
	111: "Digest-Algorithm",
	112: "Digest-Entity-Body-Hash",
	113: "Digest-CNonce",
	114: "Digest-Nonce-Count",
	115: "Digest-Username",
	116: "Digest-Opaque",
	117: "Digest-Auth-Param",
	118: "Digest-AKA-Auts",
	119: "Digest-Domain",
	120: "Digest-Stale",
	121: "Digest-HA1",
	122: "SIP-AOR",
	123: "Delegated-IPv6-Prefix",
	124: "MIP6-Feature-Vector",
	125: "MIP6-Home-Link-Prefix",
	126: "Operator-Name",
	127: "Location-Information",
	128: "Location-Data",
	129: "Basic-Location-Policy-Rules",
	130: "Extended-Location-Policy-Rules",
	131: "Location-Capable",
	132: "Requested-Location-Info",
	133: "Framed-Management",
	134: "Management-Transport-Protection",
	135: "Management-Policy-Id",
	136: "Management-Privilege-Level",
	137: "PKM-SS-Cert",
	138: "PKM-CA-Cert",
	139: "PKM-Config-Settings",
	140: "PKM-Cryptosuite-List",
	141: "PKM-SAID",
	142: "PKM-SA-Descriptor",
	143: "PKM-Auth-Key",
	144: "DS-Lite-Tunnel-Name",
	145: "Mobile-Node-Identifier",
	146: "Service-Selection",
	147: "PMIP6-Home-LMA-IPv6-Address",
	148: "PMIP6-Visited-LMA-IPv6-Address",
	149: "PMIP6-Home-LMA-IPv4-Address",
	150: "PMIP6-Visited-LMA-IPv4-Address",
	151: "PMIP6-Home-HN-Prefix",
	152: "PMIP6-Visited-HN-Prefix",
	153: "PMIP6-Home-Interface-ID",
	154: "PMIP6-Visited-Interface-ID",
	155: "PMIP6-Home-IPv4-HoA",
	156: "PMIP6-Visited-IPv4-HoA",
	157: "PMIP6-Home-DHCP4-Server-Address",
	158: "PMIP6-Visited-DHCP4-Server-Address",
	159: "PMIP6-Home-DHCP6-Server-Address",
	160: "PMIP6-Visited-DHCP6-Server-Address",
	161: "PMIP6-Home-IPv4-Gateway",
	162: "PMIP6-Visited-IPv4-Gateway",
	163: "EAP-Lower-Layer",
	164: "GSS-Acceptor-Service-Name",
	165: "GSS-Acceptor-Host-Name",
	166: "GSS-Acceptor-Service-Specifics",
	167: "GSS-Acceptor-Realm-Name",
	168: "Framed-IPv6-Address",
	169: "DNS-Server-IPv6-Address",
	170: "Route-IPv6-Information",
	171: "Delegated-IPv6-Prefix-Pool",
	172: "Stateful-IPv6-Address-Pool",
	174: "Allowed-Called-Station-Id",
	175: "EAP-Peer-Id",
	176: "EAP-Server-Id",
	177: "Mobility-Domain-Id",
	178: "Preauth-Timeout",
	179: "Network-Id-Name",
	180: "EAPoL-Announcement",
	181: "WLAN-HESSID",
	182: "WLAN-Venue-Info",
	183: "WLAN-Venue-Language",
	184: "WLAN-Venue-Name",
	185: "WLAN-Reason-Code",
	186: "WLAN-Pairwise-Cipher",
	187: "WLAN-Group-Cipher",
	188: "WLAN-AKM-Suite",
	189: "WLAN-Group-Mgmt-Cipher",
	190: "WLAN-RF-Band",
	241: "Extended-Attribute-1",
	242: "Extended-Attribute-2",
	243: "Extended-Attribute-3",
	244: "Extended-Attribute-4",
	245: "Extended-Attribute-5",
	246: "Extended-Attribute-6",
}

// microsoftNames is RFC 2548 and what Microsoft added since; read only.
var microsoftNames = [...]string{
	1:  "MS-CHAP-Response",
	2:  "MS-CHAP-Error",
	3:  "MS-CHAP-CPW-1",
	4:  "MS-CHAP-CPW-2",
	5:  "MS-CHAP-LM-Enc-PW",
	6:  "MS-CHAP-NT-Enc-PW",
	7:  "MS-MPPE-Encryption-Policy",
	8:  "MS-MPPE-Encryption-Types",
	9:  "MS-RAS-Vendor",
	10: "MS-CHAP-Domain",
	11: "MS-CHAP-Challenge",
	12: "MS-CHAP-MPPE-Keys",
	13: "MS-BAP-Usage",
	14: "MS-Link-Utilization-Threshold",
	15: "MS-Link-Drop-Time-Limit",
	16: "MS-MPPE-Send-Key",
	17: "MS-MPPE-Recv-Key",
	18: "MS-RAS-Version",
	19: "MS-Old-ARAP-Password",
	20: "MS-New-ARAP-Password",
	21: "MS-ARAP-PW-Change-Reason",
	22: "MS-Filter",
	23: "MS-Acct-Auth-Type",
	24: "MS-Acct-EAP-Type",
	25: "MS-CHAP2-Response",
	26: "MS-CHAP2-Success",
	27: "MS-CHAP2-CPW",
	28: "MS-Primary-DNS-Server",
	29: "MS-Secondary-DNS-Server",
	30: "MS-Primary-NBNS-Server",
	31: "MS-Secondary-NBNS-Server",
	34: "MS-RAS-Client-Name",
	35: "MS-RAS-Client-Version",
	36: "MS-Quarantine-IPFilter",
	37: "MS-Quarantine-Session-Timeout",
	40: "MS-User-Security-Identity",
	41: "MS-Identity-Type",
	42: "MS-Service-Class",
	44: "MS-Quarantine-User-Class",
	45: "MS-Quarantine-State",
	46: "MS-Quarantine-Grace-Time",
	47: "MS-Network-Access-Server-Type",
	48: "MS-AFW-Zone",
	49: "MS-AFW-Protection-Level",
	50: "MS-Machine-Name",
	51: "MS-IPv6-Filter",
	52: "MS-IPv4-Remediation-Servers",
	53: "MS-IPv6-Remediation-Servers",
	54: "MS-RNAP-Not-Quarantine-Capable",
	55: "MS-Quarantine-SOH",
	56: "MS-RAS-Correlation",
	57: "MS-Extended-Quarantine-State",
	58: "MS-HCAP-User-Groups",
	59: "MS-HCAP-Location-Group-Name",
	60: "MS-HCAP-User-Name",
	61: "MS-User-IPv4-Address",
	62: "MS-User-IPv6-Address",
	63: "MS-TSG-Device-Redirection",
}
