package rules

import (
	"slices"

	"radsec-gw/wire/dict"
)

// Preset is a rule that comes with the gateway. It cannot know what is an operator's own,
// such as a realm for Operator-Name. That is given in another rule: the one with the preset
// is named for replies, too, and Operator-Name is for servers (RFC 5580 §4.1).
//
// Rule: AR11.
type Preset struct {
	Name, Summary string
	Steps         []PresetStep
}

// PresetStep is one step of a preset.
type PresetStep struct {
	Packets        string // "requests", "Access-Requests" or "Access-Accepts"
	Action         string // "reject", "remove", "default"
	Attribute      string
	Value          string // the pattern of reject, the value of default
	Source, Reason string // where it is published, and why it is done
}

// Sources of more than one step. Where no published profile is known that has a proxy remove
// an attribute, the source is practice, and where the attribute is defined.
const (
	sourceNAI     = "RFC 7542 §2.2"
	sourceEduroam = "AARNet, eduroam: filtering requests"
	sourceVLAN    = "practice; RFC 3580 §3.31"
	practice      = "practice"
)

// Presets returns the presets. What they remove from Access-Accepts an Identity Provider
// means for its own network: the visited network decides on VLANs and filters itself. They
// leave Access-Challenges as they are, in which Session-Timeout is how long the user has to
// answer (RFC 3580 §3.17), Accounting-Requests, and CoA, for which a Chargeable-User-Identity
// would name a session (RFC 5176 §3).
func Presets() []Preset {
	return []Preset{
		{
			Name:    "eduroam-out",
			Summary: `for a route or server towards the federation; give Operator-Name ("1your.realm") in another rule, for requests only`,
			Steps:   slices.Concat(rejectedNames(), requestCUI(), homeNetwork(), homeLimits()),
		},
		{
			Name:    "eduroam-in",
			Summary: "for a client that is the federation, towards the servers of the own users",
			Steps:   slices.Concat(rejectedNames(), homeNetwork(), homeLimits()),
		},
		{
			Name:    "openroaming",
			Summary: `for a route or server towards OpenRoaming; give Operator-Name ("4your.wbaid") in another rule, for requests only`,
			Steps:   slices.Concat(rejectedNames(), identityProvider(), requestCUI(), homeNetwork()),
		},
	}
}

// rejectedNames refuses User-Names that no federation can route.
func rejectedNames() []PresetStep {
	var steps []PresetStep
	for _, r := range []struct{ pattern, source, reason string }{
		{`^[^@]*$`, sourceEduroam, "no realm"},
		{`@$`, sourceNAI, "an empty realm"},
		{`\s`, sourceNAI, "a blank"},
		{`@[^@]*\.\.[^@]*$`, sourceNAI, "two dots in a row in the realm"},
		{`@\.[^@]*$`, sourceNAI, "a realm that begins with a dot"},
		{`@[^@]*\.$`, sourceNAI, "a realm that ends with a dot"},
		{`@[^@.]+$`, sourceEduroam, "a realm without a dot"},
		{`@.*@`, sourceNAI, "two @"},
	} {
		steps = append(steps, PresetStep{Packets: "Access-Requests", Action: "reject", Attribute: dict.Name(typeUserName, 0), Value: r.pattern, Source: r.source, Reason: r.reason})
	}
	return steps
}

// requestCUI asks for a Chargeable-User-Identity.
func requestCUI() []PresetStep {
	return []PresetStep{{Packets: "Access-Requests", Action: "default", Attribute: dict.Name(89, 0), Value: "0x00", Source: "RFC 4372 §2", Reason: "asks the Identity Provider for the user's"}}
}

// identityProvider removes what only an Identity Provider may say.
func identityProvider() []PresetStep {
	return []PresetStep{{Packets: "requests", Action: "remove", Attribute: dict.VendorName(14122, 16, 0), Source: "WBA, RADIUS VSAs, table", Reason: "for Access-Accepts only"}}
}

// homeNetwork removes what is about the user's home network. In OpenRoaming Filter-Id
// confirms the offered service, and Session-Timeout may be what the user has paid for: they
// are in homeLimits.
func homeNetwork() []PresetStep {
	return accepted([][3]string{
		{dict.Name(64, 0), sourceVLAN, "part of a VLAN"},
		{dict.Name(65, 0), sourceVLAN, "part of a VLAN"},
		{dict.Name(81, 0), sourceVLAN, "a VLAN of another network"},
		{dict.Name(66, 0), "practice; RFC 2868 §3.3", "a tunnel of another network"},
		{dict.Name(67, 0), "practice; RFC 2868 §3.4", "a tunnel of another network"},
		{dict.Name(69, 0), "practice; RFC 2868 §3.5", "a tunnel of another network"},
		{dict.Name(82, 0), "practice; RFC 2868 §3.7", "a tunnel of another network"},
		{dict.Name(83, 0), "practice; RFC 2868 §3.8", "a tunnel of another network"},
		{dict.Name(90, 0), "practice; RFC 2868 §3.9", "a tunnel of another network"},
		{dict.Name(91, 0), "practice; RFC 2868 §3.10", "a tunnel of another network"},
		{dict.Name(56, 0), "practice; RFC 4675 §2.1", "a VLAN of another network"},
		{dict.Name(57, 0), "practice; RFC 4675 §2.2", "a VLAN of another network"},
		{dict.Name(58, 0), "practice; RFC 4675 §2.3", "a VLAN of another network"},
		{dict.Name(59, 0), "practice; RFC 4675 §2.4", "priorities of another network"},
		{dict.Name(92, 0), "practice; RFC 4849 §2", "filters of another network"},
		{dict.Name(8, 0), "practice; RFC 2865 §5.8", "an address of another network"},
		{dict.Name(88, 0), "practice; RFC 2869 §5.18", "a pool of another network"},
		{dict.VendorName(9, 1, 0), practice, "may hold VLANs, filters and URLs"},
		{"14823:*", practice, "Aruba: roles and VLANs"},
	})
}

// homeLimits removes the limits that are the visited network's to set in eduroam.
func homeLimits() []PresetStep {
	return accepted([][3]string{
		{dict.Name(11, 0), "practice; RFC 2865 §5.11", "the name of a filter of another network"},
		{dict.Name(27, 0), "practice; RFC 2865 §5.27", "the visited network decides"},
		{dict.Name(28, 0), "practice; RFC 2865 §5.28", "the visited network decides"},
		{dict.Name(29, 0), "practice; RFC 2865 §5.29", "what happens after Session-Timeout"},
	})
}

// accepted returns steps that remove attributes from Access-Accepts: each with its source
// and its reason.
func accepted(list [][3]string) (steps []PresetStep) {
	for _, r := range list {
		steps = append(steps, PresetStep{Packets: "Access-Accepts", Action: "remove", Attribute: r[0], Source: r[1], Reason: r[2]})
	}
	return steps
}

// presetNamed returns a preset, or nil.
func presetNamed(name string) *Preset {
	for _, p := range Presets() {
		if p.Name == name {
			return &p
		}
	}
	return nil
}

func presetNames() (names []string) {
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return names
}

// preset compiles the steps of a preset. What it removes next to each other for the same
// packets is one step.
func (c *compiler) preset(key string, p *Preset) {
	var removed []Item
	for i, s := range p.Steps {
		d := map[string]direction{"requests": requests, "Access-Requests": accessRequests, "Access-Accepts": accessAccepts}[s.Packets]
		switch s.Action {
		case "reject":
			c.reject(Pattern{key, s.Attribute, s.Value}, d)
		case "default":
			c.assign("default", Assignment{key, s.Attribute, []string{s.Value}}, d)
		case "remove":
			removed = append(removed, Item{key, s.Attribute})
			if i+1 == len(p.Steps) || p.Steps[i+1].Action != "remove" || p.Steps[i+1].Packets != s.Packets {
				c.filter("remove", removed, d)
				removed = nil
			}
		}
	}
}
