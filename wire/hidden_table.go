// Code generated from testdata/hidden-attributes.tsv by gen; DO NOT EDIT.

package wire

// hiddenAttributes lists every attribute hidden under the secret; read only.
var hiddenAttributes = [...]hiddenAttribute{
	{0, 2, 0, methodUserPassword, formatNone, "User-Password"},
	{0, 69, 0, methodSalted | ruleTagged, formatNone, "Tunnel-Password"},
	{0, 214, 0, methodAscend, formatNone, "X-Ascend-Send-Secret"},
	{0, 215, 0, methodAscend, formatNone, "X-Ascend-Receive-Secret"},
	{9, 1, 0, methodSalted | ruleLEAP, format11, "Cisco-AVPair"},
	{161, 11, 0, methodSalted, format11, "Motorola-WiMAX-MIP-KEY"},
	{311, 12, 0, methodUserPassword, format11, "MS-CHAP-MPPE-Keys"},
	{311, 16, 0, methodSalted, format11, "MS-MPPE-Send-Key"},
	{311, 17, 0, methodSalted, format11, "MS-MPPE-Recv-Key"},
	{529, 214, 0, methodAscend, format11, "Ascend-Send-Secret"},
	{529, 215, 0, methodAscend, format11, "Ascend-Receive-Secret"},
	{831, 116, 0, methodSalted, format11, "ALU-AAA-Key-0"},
	{831, 117, 0, methodSalted, format11, "ALU-AAA-Key-1"},
	{831, 118, 0, methodSalted, format11, "ALU-AAA-Key-2"},
	{831, 119, 0, methodSalted, format11, "ALU-AAA-Key-3"},
	{2356, 19, 0, methodSalted | ruleTagged, format11, "LCS-IKEv2-Local-Password"},
	{2356, 20, 0, methodSalted | ruleTagged, format11, "LCS-IKEv2-Remote-Password"},
	{2356, 33, 0, methodSalted | ruleTagged, format11, "IKEv2-PPK"},
	{4846, 214, 0, methodAscend, format21, "Lucent-Send-Secret"},
	{4846, 215, 0, methodAscend, format21, "Lucent-Receive-Secret"},
	{4874, 58, 0, methodSalted, format11, "ERX-LI-Action"},
	{4874, 59, 0, methodSalted, format11, "ERX-Med-Dev-Handle"},
	{4874, 60, 0, methodSalted, format11, "ERX-Med-Ip-Address"},
	{4874, 61, 0, methodSalted, format11, "ERX-Med-Port-Number"},
	{5535, 58, 0, methodSalted, format11, "3GPP2-MN-HA-Shared-Key"},
	{6527, 122, 0, methodSalted, format11, "Alc-LI-Action"},
	{6527, 123, 0, methodSalted, format11, "Alc-LI-Destination"},
	{6527, 124, 0, methodSalted, format11, "Alc-LI-FC"},
	{6527, 125, 0, methodSalted, format11, "Alc-LI-Direction"},
	{6527, 138, 0, methodSalted, format11, "Alc-LI-Intercept-Id"},
	{6527, 139, 0, methodSalted, format11, "Alc-LI-Session-Id"},
	{6527, 142, 0, methodSalted, format11, "Alc-APN-Password"},
	{8742, 44, 0, methodSalted, format11, "Alphion-MPSK-Passphrase"},
	{14823, 44, 0, methodSalted, format11, "Aruba-MPSK-Passphrase"},
	{14823, 66, 0, methodUserPassword, format11, "Aruba-MPSK-Lookup-Info"},
	{14823, 72, 0, methodSalted, format11, "Aruba-DPP-Passphrase"},
	{24757, 5, 0, methodSalted, format11c, "WiMAX-MSK"},
	{24757, 10, 0, methodSalted, format11c, "WiMAX-MN-hHA-MIP4-Key"},
	{24757, 12, 0, methodSalted, format11c, "WiMAX-MN-hHA-MIP6-Key"},
	{24757, 14, 0, methodSalted, format11c, "WiMAX-FA-RK-Key"},
	{24757, 15, 0, methodSalted, format11c, "WiMAX-HA-RK-Key"},
	{24757, 19, 0, methodSalted, format11c, "WiMAX-RRQ-MN-HA-Key"},
	{24757, 40, 0, methodSalted, format11c, "WiMAX-DHCP-RK"},
	{24757, 66, 0, methodSalted, format11c, "WiMAX-vHA-MIP4-Key"},
	{24757, 67, 0, methodSalted, format11c, "WiMAX-vHA-RK-Key"},
	{24757, 70, 0, methodSalted, format11c, "WiMAX-MN-vHA-MIP6-Key"},
	{24757, 75, 0, methodSalted, format11c, "WiMAX-vDHCP-RK"},
	{24757, 86, 3, methodSalted, format11c, "WiMAX-hDHCP-DHCP-RK"},
	{24757, 87, 3, methodSalted, format11c, "WiMAX-vDHCP-DHCP-RK"},
	{24757, 131, 0, methodSalted, format11c, "WiMAX-PMIP6-RK-Key"},
	{26928, 3, 0, methodSalted, format11, "Extreme-Libsip-Patron-Info"},
	{41112, 5, 2, methodSalted, format11, "Tunnel-Password"},
	{41112, 5, 3, methodSalted, format11, "Tunnel-Password-Keyid"},
	{41112, 6, 0, methodSalted, format11, "Station-Keyid"},
	{50058, 140, 0, methodSalted, format11, "RtBrick-LI-Action"},
	{50058, 141, 0, methodSalted, format11, "RtBrick-LI-Identifier"},
	{50058, 142, 0, methodSalted, format11, "RtBrick-LI-Direction"},
	{50058, 143, 0, methodSalted, format11, "RtBrick-LI-MED-Instance"},
	{50058, 144, 0, methodSalted, format11, "RtBrick-LI-MED-IP"},
	{50058, 145, 0, methodSalted, format11, "RtBrick-LI-MED-Port"},
}

// standardRules holds the rules of attributes without a vendor; read only.
var standardRules = [256]rule{
	2:   methodUserPassword,
	69:  methodSalted | ruleTagged,
	214: methodAscend,
	215: methodAscend,
}

// vendorFormat returns how a vendor of the table lays out its attributes,
// formatNone when the table does not know it.
func vendorFormat(vendor uint32) format {
	switch vendor {
	case 9, 161, 311, 529, 831, 2356,
		4874, 5535, 6527, 8742, 14823, 26928,
		41112, 50058:
		return format11
	case 4846:
		return format21
	case 24757:
		return format11c
	}
	return formatNone
}

// vendorRule returns the rule of a vendor's attribute, or of the TLV sub
// inside it when sub is not 0; 0 when it is not hidden.
func vendorRule(vendor uint32, number uint16, sub byte) rule {
	switch uint64(vendor)<<24 | uint64(number)<<8 | uint64(sub) {
	case 9<<24 | 1<<8:
		return methodSalted | ruleLEAP
	case 161<<24 | 11<<8,
		311<<24 | 16<<8, 311<<24 | 17<<8,
		831<<24 | 116<<8, 831<<24 | 117<<8, 831<<24 | 118<<8, 831<<24 | 119<<8,
		4874<<24 | 58<<8, 4874<<24 | 59<<8, 4874<<24 | 60<<8, 4874<<24 | 61<<8,
		5535<<24 | 58<<8,
		6527<<24 | 122<<8, 6527<<24 | 123<<8, 6527<<24 | 124<<8, 6527<<24 | 125<<8, 6527<<24 | 138<<8, 6527<<24 | 139<<8,
		6527<<24 | 142<<8,
		8742<<24 | 44<<8,
		14823<<24 | 44<<8, 14823<<24 | 72<<8,
		24757<<24 | 5<<8, 24757<<24 | 10<<8, 24757<<24 | 12<<8, 24757<<24 | 14<<8, 24757<<24 | 15<<8, 24757<<24 | 19<<8,
		24757<<24 | 40<<8, 24757<<24 | 66<<8, 24757<<24 | 67<<8, 24757<<24 | 70<<8, 24757<<24 | 75<<8, 24757<<24 | 86<<8 | 3,
		24757<<24 | 87<<8 | 3, 24757<<24 | 131<<8,
		26928<<24 | 3<<8,
		41112<<24 | 5<<8 | 2, 41112<<24 | 5<<8 | 3, 41112<<24 | 6<<8,
		50058<<24 | 140<<8, 50058<<24 | 141<<8, 50058<<24 | 142<<8, 50058<<24 | 143<<8, 50058<<24 | 144<<8, 50058<<24 | 145<<8:
		return methodSalted
	case 311<<24 | 12<<8,
		14823<<24 | 66<<8:
		return methodUserPassword
	case 529<<24 | 214<<8, 529<<24 | 215<<8,
		4846<<24 | 214<<8, 4846<<24 | 215<<8:
		return methodAscend
	case 2356<<24 | 19<<8, 2356<<24 | 20<<8, 2356<<24 | 33<<8:
		return methodSalted | ruleTagged
	case 24757<<24 | 86<<8, 24757<<24 | 87<<8,
		41112<<24 | 5<<8:
		return ruleTLVs
	}
	return 0
}
