package rewriting

import (
	"strings"

	"layeh.com/radius"
)

// rewriting is one case.
type rewriting struct {
	name    string
	request radius.Attributes // as the client sends it
	reply   radius.Attributes // as the server answers; nil: the case is about the request
	theirs  string            // lines of a rewrite block of radsecproxy
	ours    string            // keys of a [[rule]], for what the case is about

	// Of cases about User-Name.
	theirUserName string // of radsecproxy's rewriteAttribute
	ourRequest    string // keys of a [[rule]] for the request of a case about the reply

	want    string // what the gateway makes of the packet; "refused", "no reply"
	because string // why radsecproxy makes something else; "": it makes the same
	imports bool   // after an import the gateway makes what radsecproxy makes, although because is not empty
	ends    string // how radsecproxy ends when it is asked, so that it is not; "": it does not
}

// Attributes of the cases by name.
var (
	user    = attr(1, "bob@old.example")
	nas     = attr(32, "ap")
	station = attr(31, "02-00-00-00-00-01")
	filter1 = attr(11, "one")
	filter2 = attr(11, "two")
	avpair  = func(text string) string { return sub(1, text) }
)

func list(all ...*radius.AVP) radius.Attributes { return all }

// cases are those of TestLikeRadsecproxy.
var cases = append(append(append(removals, whitelists...), changes...), additions...)

var removals = []rewriting{
	{name: "an attribute is removed", request: list(user, nas, station),
		theirs: "removeAttribute 32", ours: `remove = ["NAS-Identifier"]`,
		want: `1:"bob@old.example" 31:"02-00-00-00-00-01"`},
	{name: "by its number", request: list(user, nas, station),
		theirs: "removeAttribute 31", ours: `remove = ["31"]`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "all of its type", request: list(user, filter1, nas, filter2),
		theirs: "removeAttribute 11", ours: `remove = ["Filter-Id"]`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "one that is not there", request: list(user, nas),
		theirs: "removeAttribute 11", ours: `remove = ["Filter-Id"]`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "two types", request: list(user, filter1, nas, station),
		theirs: "removeAttribute 11\nremoveAttribute 31", ours: `remove = ["Filter-Id", "Calling-Station-Id"]`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "all of a vendor", request: list(user, vsa(9, avpair("a=1")), nas, vsa(9, sub(2, "port")), vsa(14122, sub(1, "x"))),
		theirs: "removeVendorAttribute 9", ours: `remove = ["9:*"]`,
		want: `1:"bob@old.example" 32:"ap" 26:"\x00\x007*\x01\x03x"`},
	{name: "a vendor's attribute", request: list(user, vsa(9, avpair("a=1")), vsa(9, sub(2, "port"))),
		theirs: "removeVendorAttribute 9:1", ours: `remove = ["Cisco-AVPair"]`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x02\x06port"`},
	{name: "a vendor's attribute among others", request: list(user, vsa(9, sub(2, "port"), avpair("a=1"), sub(3, "z"))),
		theirs: "removeVendorAttribute 9:1", ours: `remove = ["9:1"]`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x02\x06port\x03\x03z"`},
	{name: "a vendor's attribute, all that it has", request: list(user, vsa(9, avpair("a=1"), avpair("b=2")), nas),
		theirs: "removeVendorAttribute 9:1", ours: `remove = ["9:1"]`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "another vendor's attribute of the number", request: list(user, vsa(14122, sub(1, "x")), vsa(9, avpair("a=1"))),
		theirs: "removeVendorAttribute 9:1", ours: `remove = ["9:1"]`,
		want: `1:"bob@old.example" 26:"\x00\x007*\x01\x03x"`},
	{name: "in a reply", request: list(user), reply: list(filter1, attr(27, "\x00\x00\x0e\x10"), attr(18, "welcome")),
		theirs: "removeAttribute 11\nremoveAttribute 27", ours: `remove = ["Filter-Id", "Session-Timeout"]`,
		want: `18:"welcome"`},
	{name: "a vendor's in a reply", request: list(user), reply: list(vsa(9, avpair("a=1"), sub(2, "port")), attr(18, "welcome")),
		theirs: "removeVendorAttribute 9:1", ours: `remove = ["9:1"]`,
		want: `26:"\x00\x00\x00\t\x02\x06port" 18:"welcome"`},
}

var whitelists = []rewriting{
	{name: "only some are kept", request: list(user, nas, filter1, station),
		theirs: "whitelistMode on\nwhitelistAttribute 1\nwhitelistAttribute 31", ours: `keep = ["User-Name", "Calling-Station-Id"]`,
		want: `1:"bob@old.example" 31:"02-00-00-00-00-01"`},
	{name: "a vendor is kept", request: list(user, nas, vsa(9, avpair("a=1"), sub(2, "port")), vsa(14122, sub(1, "x"))),
		theirs: "whitelistMode on\nwhitelistAttribute 1\nwhitelistVendorAttribute 9", ours: `keep = ["User-Name", "9:*"]`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x01\x05a=1\x02\x06port"`},
	{name: "a vendor's attribute is kept", request: list(user, nas, vsa(9, avpair("a=1"), sub(2, "port")), vsa(9, sub(3, "z"))),
		theirs: "whitelistMode on\nwhitelistAttribute 1\nwhitelistVendorAttribute 9:2", ours: `keep = ["User-Name", "9:2"]`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x02\x06port"`},
	{name: "in a reply", request: list(user), reply: list(filter1, attr(18, "welcome"), attr(27, "\x00\x00\x0e\x10")),
		theirs: "whitelistMode on\nwhitelistAttribute 18", ours: `keep = ["Reply-Message"]`,
		want: `18:"welcome"`},
	{name: "a State", request: list(user, attr(24, "conversation"), nas),
		theirs: "whitelistMode on\nwhitelistAttribute 1", ours: `keep = ["User-Name"]`,
		want:    `1:"bob@old.example" 24:"conversation"`,
		because: "the gateway never removes State, without which the server cannot go on (AR4); radsecproxy does"},
	{name: "a Class in a reply", request: list(user), reply: list(attr(25, "opaque"), attr(18, "welcome")),
		theirs: "whitelistMode on\nwhitelistAttribute 18", ours: `keep = ["Reply-Message"]`,
		want:    `25:"opaque" 18:"welcome"`,
		because: "the gateway never removes Class, which accounting is recognized by (AR4, P14); radsecproxy does"},
}

var changes = []rewriting{
	{name: "a realm is replaced", request: list(user, nas),
		theirs: `modifyAttribute 1:/^(.*)@old\.example$/\1@new.example/`, ours: `replace = [{ attribute = "User-Name", pattern = '^(.*)@old\.example$', with = "$1@new.example" }]`,
		want: `1:"bob@new.example" 32:"ap"`},
	{name: "a pattern that does not match", request: list(user, nas),
		theirs: `modifyAttribute 1:/^(.*)@other$/\1@new.example/`, ours: `replace = [{ attribute = "User-Name", pattern = '^(.*)@other$', with = "$1@new.example" }]`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "two groups", request: list(user, nas),
		theirs: `modifyAttribute 1:/^(.*)@(.*)$/\2!\1/`, ours: `replace = [{ attribute = "User-Name", pattern = '^(.*)@(.*)$', with = "$2!$1" }]`,
		want: `1:"old.example!bob" 32:"ap"`},
	{name: "a group twice", request: list(user, nas),
		theirs: `modifyAttribute 32:/^(.*)$/\1-\1/`, ours: `replace = [{ attribute = "32", pattern = '^(.*)$', with = "$1-$1" }]`,
		want: `1:"bob@old.example" 32:"ap-ap"`},
	{name: "every one of its type", request: list(user, filter1, nas, filter2),
		theirs: `modifyAttribute 11:/^(.*)$/x-\1/`, ours: `replace = [{ attribute = "Filter-Id", pattern = '^(.*)$', with = "x-$1" }]`,
		want: `1:"bob@old.example" 11:"x-one" 32:"ap" 11:"x-two"`},
	{name: "two after each other", request: list(user, nas),
		theirs: "modifyAttribute 32:/^ap$/bp/\nmodifyAttribute 32:/^bp$/cp/", ours: `replace = [{ attribute = "32", pattern = '^ap$', with = "bp" }, { attribute = "32", pattern = '^bp$', with = "cp" }]`,
		want: `1:"bob@old.example" 32:"cp"`},
	{name: "a dollar and a backslash", request: list(user, nas),
		theirs: `modifyAttribute 32:/^(.*)$/\1$1/`, ours: `replace = [{ attribute = "32", pattern = '^(.*)$', with = "$1$$1" }]`,
		want: `1:"bob@old.example" 32:"ap$1"`},
	{name: "a domain is stripped", request: list(attr(1, `CORP\bob`), nas),
		theirs: `modifyAttribute 1:/^[^\\]*\\(.*)$/\1@corp.example/`, ours: `replace = [{ attribute = "User-Name", pattern = '^[^\\]*\\(.*)$', with = "$1@corp.example" }]`,
		want: `1:"bob@corp.example" 32:"ap"`},
	{name: "a vendor's attribute", request: list(user, vsa(9, avpair("vlan=5"))),
		theirs: `modifyVendorAttribute 9:1:/^vlan=(.*)$/vlan=1\1/`, ours: `replace = [{ attribute = "Cisco-AVPair", pattern = '^vlan=(.*)$', with = "vlan=1$1" }]`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x01\tvlan=15"`},
	{name: "a vendor's attribute among others", request: list(user, vsa(9, sub(2, "port"), avpair("vlan=5"), avpair("acl=7"))),
		theirs: `modifyVendorAttribute 9:1:/^vlan=(.*)$/vlan=1\1/`, ours: `replace = [{ attribute = "Cisco-AVPair", pattern = '^vlan=(.*)$', with = "vlan=1$1" }]`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x02\x06port\x01\tvlan=15\x01\aacl=7"`},
	{name: "in a reply", request: list(user), reply: list(attr(18, "hello-bob"), filter1),
		theirs: `modifyAttribute 18:/^hello-(.*)$/welcome-\1/`, ours: `replace = [{ attribute = "Reply-Message", pattern = '^hello-(.*)$', with = "welcome-$1" }]`,
		want: `18:"welcome-bob" 11:"one"`},
	{name: "a part of the value", request: list(user, nas),
		theirs: `modifyAttribute 1:/@old\.example$/@new.example/`, ours: `replace = [{ attribute = "User-Name", pattern = '@old\.example$', with = "@new.example" }]`,
		want:    `1:"bob@new.example" 32:"ap"`,
		because: "the gateway changes the part that matches, as sed does; radsecproxy gives the whole value the text", imports: true},
	{name: "upper and lower case", request: list(attr(1, "bob@OLD.example"), nas),
		theirs: `modifyAttribute 1:/^(.*)@old\.example$/\1@new.example/`, ours: `replace = [{ attribute = "User-Name", pattern = '^(.*)@old\.example$', with = "$1@new.example" }]`,
		want:    `1:"bob@OLD.example" 32:"ap"`,
		because: "the gateway's patterns match as written, and ignore case after (?i); radsecproxy's always ignore it", imports: true},
	{name: "ignoring case", request: list(attr(1, "bob@OLD.example"), nas),
		theirs: `modifyAttribute 1:/^(.*)@old\.example$/\1@new.example/`, ours: `replace = [{ attribute = "User-Name", pattern = '(?i)^(.*)@old\.example$', with = "$1@new.example" }]`,
		want: `1:"bob@new.example" 32:"ap"`},
	{name: "a value of no octets", request: list(user, attr(32, "ap-7")),
		theirs: `modifyAttribute 32:/^ap-([a-z]*)7$/\1/`, ours: `replace = [{ attribute = "NAS-Identifier", pattern = '^ap-([a-z]*)7$', with = "$1" }]`,
		want:    "refused",
		because: "the gateway never sends an attribute without a value, and refuses the request (AR7); radsecproxy sends it"},
	{name: "a value that is too long", request: list(user, attr(32, strings.Repeat("x", 200))),
		theirs: `modifyAttribute 32:/^(.*)$/\1\1/`, ours: `replace = [{ attribute = "NAS-Identifier", pattern = '^(.*)$', with = "$1$1" }]`,
		want: "refused", ends: "radsecproxy 1.9.2 ends with \"free(): invalid size\""},
	{name: "octets that are not text", request: list(user, attr(32, "a\xff\x01b")),
		theirs: `modifyAttribute 32:/^(.*)b$/\1c/`, ours: `replace = [{ attribute = "NAS-Identifier", pattern = '^(?s:(.*))b$', with = "${1}c" }]`,
		want: `1:"bob@old.example" 32:"a\xff\x01c"`},
}

var additions = []rewriting{
	{name: "an attribute is added", request: list(user, nas),
		theirs: "addAttribute 11:guest", ours: `add = { Filter-Id = "guest" }`,
		want: `1:"bob@old.example" 32:"ap" 11:"guest"`},
	{name: "to one that is there", request: list(user, filter1, nas),
		theirs: "addAttribute 11:guest", ours: `add = { Filter-Id = "guest" }`,
		want: `1:"bob@old.example" 11:"one" 32:"ap" 11:"guest"`},
	{name: "twice", request: list(user),
		theirs: "addAttribute 11:guest\naddAttribute 11:late", ours: `add = { Filter-Id = ["guest", "late"] }`,
		want: `1:"bob@old.example" 11:"guest" 11:"late"`},
	{name: "a number", request: list(user),
		theirs: "addAttribute 27:3600", ours: `add = { Session-Timeout = 3600 }`,
		want: `1:"bob@old.example" 27:"\x00\x00\x0e\x10"`},
	{name: "octets", request: list(user),
		theirs: "addAttribute 36:'%41%ff%42", ours: `add = { Login-LAT-Group = "0x41ff42" }`,
		want: `1:"bob@old.example" 36:"A\xffB"`},
	{name: "a text of digits", request: list(user),
		theirs: "addAttribute 11:'007", ours: `add = { Filter-Id = "007" }`,
		want: `1:"bob@old.example" 11:"007"`},
	{name: "an operator's name", request: list(user),
		theirs: "addAttribute 126:'1old.example", ours: `add = { Operator-Name = "1old.example" }`,
		want: `1:"bob@old.example" 126:"1old.example"`},
	{name: "a vendor's", request: list(user, vsa(9, avpair("a=1"))),
		theirs: "addVendorAttribute 9:1:b=2", ours: `add = { Cisco-AVPair = "b=2" }`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x01\x05a=1" 26:"\x00\x00\x00\t\x01\x05b=2"`},
	{name: "a vendor's number", request: list(user),
		theirs: "addVendorAttribute 311:9:7", ours: `add = { "311:9" = "0x00000007" }`,
		want: `1:"bob@old.example" 26:"\x00\x00\x017\t\x06\x00\x00\x00\a"`},
	{name: "if it is missing, and it is", request: list(user),
		theirs: "supplementAttribute 32:campus", ours: `default = { NAS-Identifier = "campus" }`,
		want: `1:"bob@old.example" 32:"campus"`},
	{name: "if it is missing, and it is not", request: list(user, nas),
		theirs: "supplementAttribute 32:campus", ours: `default = { NAS-Identifier = "campus" }`,
		want: `1:"bob@old.example" 32:"ap"`},
	{name: "a vendor's if it is missing, and it is", request: list(user, vsa(9, sub(2, "port"))),
		theirs: "supplementVendorAttribute 9:1:b=2", ours: `default = { Cisco-AVPair = "b=2" }`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x02\x06port" 26:"\x00\x00\x00\t\x01\x05b=2"`},
	{name: "a vendor's if it is missing, and it is not", request: list(user, vsa(9, sub(2, "port"), avpair("a=1"))),
		theirs: "supplementVendorAttribute 9:1:b=2", ours: `default = { Cisco-AVPair = "b=2" }`,
		want: `1:"bob@old.example" 26:"\x00\x00\x00\t\x02\x06port\x01\x05a=1"`},
	{name: "in a reply", request: list(user), reply: list(attr(18, "welcome")),
		theirs: "addAttribute 27:3600\nsupplementAttribute 11:guest", ours: "add = { Session-Timeout = 3600 }\ndefault = { Filter-Id = \"guest\" }",
		want: `18:"welcome" 11:"guest" 27:"\x00\x00\x0e\x10"`},
	{name: "whatever was there", request: list(user, nas, station),
		theirs: "removeAttribute 32\naddAttribute 32:campus", ours: `set = { NAS-Identifier = "campus" }`,
		want: `1:"bob@old.example" 31:"02-00-00-00-00-01" 32:"campus"`},
	{name: "every step at once", request: list(user, nas, filter1, station, vsa(9, avpair("a=1"), sub(2, "port"))),
		theirs: "removeAttribute 31\nremoveVendorAttribute 9:2\nmodifyAttribute 1:/^(.*)@old\\.example$/\\1/\nsupplementAttribute 31:none\nsupplementAttribute 32:campus\naddAttribute 11:two\naddVendorAttribute 9:1:b=2",
		ours: `remove = ["Calling-Station-Id", "9:2"]
replace = [{ attribute = "User-Name", pattern = '^(.*)@old\.example$', with = "$1" }]
default = { Calling-Station-Id = "none", NAS-Identifier = "campus" }
add = { Cisco-AVPair = "b=2", Filter-Id = "two" }`,
		want:    `1:"bob" 32:"ap" 11:"one" 26:"\x00\x00\x00\t\x01\x05a=1" 31:"none" 26:"\x00\x00\x00\t\x01\x05b=2" 11:"two"`,
		because: "the two added attributes are in the order of their names; radsecproxy's in that of its file, with vendors' last"},
	{name: "User-Name on the way in", request: list(user, nas), theirUserName: `/^(.*)@old\.example$/\1@new.example/`,
		ours: `replace = [{ attribute = "User-Name", pattern = '^(.*)@old\.example$', with = "$1@new.example" }]`,
		want: `1:"bob@new.example" 32:"ap"`},
	{name: "User-Name on the way back", request: list(user, nas), reply: list(attr(1, "bob@new.example"), attr(18, "welcome")), theirUserName: `/^(.*)@old\.example$/\1@new.example/`,
		ourRequest: `replace = [{ attribute = "User-Name", pattern = '^(.*)@old\.example$', with = "$1@new.example" }]`,
		want:       `1:"bob@old.example" 18:"welcome"`},
	{name: "another User-Name on the way back", request: list(user, nas), reply: list(attr(1, "robert@new.example"), attr(18, "welcome")), theirUserName: `/^(.*)@old\.example$/\1@new.example/`,
		ourRequest: `replace = [{ attribute = "User-Name", pattern = '^(.*)@old\.example$', with = "$1@new.example" }]`,
		want:       `1:"robert@new.example" 18:"welcome"`,
		because:    "a User-Name that the server has chosen passes unchanged (RFC 2865 §5.1); radsecproxy replaces every one by the client's"},
}
