// Code generated from dictionary.txt by wire/dict/gen; DO NOT EDIT.

package wire

// standardRules holds the rules of attributes without a vendor; read only.
var standardRules = [256]rule{
	2:   methodUserPassword,
	69:  methodSalted | ruleTagged,
	214: methodAscend,
	215: methodAscend,
}

// vendorFormat returns how a vendor that hides something lays out its attributes,
// formatNone for other vendors.
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
	case 311<<24 | 12<<8:
		return methodUserPassword | ruleKeys
	case 529<<24 | 214<<8, 529<<24 | 215<<8,
		4846<<24 | 214<<8, 4846<<24 | 215<<8:
		return methodAscend
	case 2356<<24 | 19<<8, 2356<<24 | 20<<8, 2356<<24 | 33<<8:
		return methodSalted | ruleTagged
	case 14823<<24 | 66<<8:
		return methodUserPassword
	case 24757<<24 | 86<<8, 24757<<24 | 87<<8,
		41112<<24 | 5<<8:
		return ruleTLVs
	}
	return 0
}
