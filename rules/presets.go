package rules

import "radsec-gw/wire/dict"

// Preset is a rule that comes with the gateway. It cannot know what is an operator's own,
// such as a realm for Operator-Name: that is given beside it, in the rule that uses it.
//
// Rule: AR11.
type Preset struct {
	Name, Summary string
	Steps         []PresetStep
}

// PresetStep is one step of a preset.
type PresetStep struct {
	Requests, Replies bool   // which packets it is for
	Action            string // "reject", "remove", "default"
	Attribute         string
	Value             string // the pattern of reject, the value of default
	Source, Reason    string // where it is published, and why it is done
}

const (
	sourceNAI     = "RFC 7542 §2.2"
	sourceEduroam = "AARNet, eduroam: how to filter authentication requests"
	sourceTunnel  = "RFC 3580 §3.31"
	sourceCUI     = "RFC 4372 §2"
	sourceWBA     = "Wireless Broadband Alliance, RADIUS VSAs"
	sourceRADIUS  = "RFC 2865 §5"
	sourceFilter  = "RFC 4849 §2"
	sourceVLAN    = "RFC 4675 §2"
)

// Presets returns the presets. What they remove from replies an Identity Provider means
// for its own network: the visited network decides on VLANs, filters and times itself.
func Presets() []Preset {
	return []Preset{
		{
			Name:    "eduroam-out",
			Summary: `for a route or server towards the federation; give set = { Operator-Name = "1your.realm" } beside it`,
			Steps:   append(rejectedNames(), append(requestCUI(), foreignReplies()...)...),
		},
		{
			Name:    "eduroam-in",
			Summary: "for a client that is the federation, towards the servers of the own users",
			Steps:   append(rejectedNames(), foreignReplies()...),
		},
		{
			Name:    "openroaming",
			Summary: `for a route or server towards OpenRoaming; give set = { Operator-Name = "4your.wbaid" } beside it`,
			Steps:   append(append(rejectedNames(), openRoaming()...), append(requestCUI(), visitedReplies()...)...),
		},
	}
}

// rejectedNames refuses User-Names that no federation can route.
func rejectedNames() []PresetStep {
	var steps []PresetStep
	for _, r := range []struct{ pattern, source, reason string }{
		{`^[^@]*$`, sourceEduroam, "no realm"},
		{`@$`, sourceEduroam, "an empty realm"},
		{`\s`, sourceEduroam, "a blank"},
		{`@[^@]*\.\.[^@]*$`, sourceNAI, "two dots in a row in the realm"},
		{`@\.[^@]*$`, sourceNAI, "a realm that begins with a dot"},
		{`@[^@]*\.$`, sourceNAI, "a realm that ends with a dot"},
		{`@[^@.]+$`, sourceEduroam, "a realm without a dot"},
		{`@.*@`, sourceNAI, "two @"},
	} {
		steps = append(steps, PresetStep{Requests: true, Action: "reject", Attribute: dict.Name(typeUserName, 0), Value: r.pattern, Source: r.source, Reason: r.reason})
	}
	return steps
}

// requestCUI asks for a Chargeable-User-Identity.
func requestCUI() []PresetStep {
	return []PresetStep{{Requests: true, Action: "default", Attribute: dict.Name(89, 0), Value: "0x00", Source: sourceCUI, Reason: "a value of one zero octet asks the Identity Provider for the user's"}}
}

// openRoaming removes what a client must not say about others.
func openRoaming() []PresetStep {
	return []PresetStep{{Requests: true, Action: "remove", Attribute: dict.VendorName(14122, 16, 0), Source: sourceWBA, Reason: "WBA-Identity-Provider is for Access-Accepts only"}}
}

// foreignReplies removes from replies what authorizes in one network only.
func foreignReplies() []PresetStep {
	return append(visitedReplies(),
		PresetStep{Replies: true, Action: "remove", Attribute: dict.Name(11, 0), Source: sourceRADIUS + ".11", Reason: "the name of a filter of another network"})
}

// visitedReplies is foreignReplies without Filter-Id, with which OpenRoaming confirms the
// offered service.
func visitedReplies() []PresetStep {
	var steps []PresetStep
	for _, r := range []struct{ attribute, source, reason string }{
		{dict.Name(64, 0), sourceTunnel, "part of a VLAN"},
		{dict.Name(65, 0), sourceTunnel, "part of a VLAN"},
		{dict.Name(81, 0), sourceTunnel, "a VLAN of another network"},
		{dict.Name(66, 0), "RFC 2868 §3.3", "a tunnel of another network"},
		{dict.Name(67, 0), "RFC 2868 §3.4", "a tunnel of another network"},
		{dict.Name(69, 0), "RFC 2868 §3.5", "a tunnel of another network"},
		{dict.Name(82, 0), "RFC 2868 §3.7", "a tunnel of another network"},
		{dict.Name(83, 0), "RFC 2868 §3.8", "a tunnel of another network"},
		{dict.Name(90, 0), "RFC 2868 §3.9", "a tunnel of another network"},
		{dict.Name(91, 0), "RFC 2868 §3.10", "a tunnel of another network"},
		{dict.Name(56, 0), sourceVLAN + ".1", "a VLAN of another network"},
		{dict.Name(57, 0), sourceVLAN + ".2", "a VLAN of another network"},
		{dict.Name(58, 0), sourceVLAN + ".3", "a VLAN of another network"},
		{dict.Name(59, 0), sourceVLAN + ".4", "priorities of another network"},
		{dict.Name(92, 0), sourceFilter, "filters of another network"},
		{dict.Name(27, 0), sourceRADIUS + ".27", "the visited network decides"},
		{dict.Name(28, 0), sourceRADIUS + ".28", "the visited network decides"},
		{dict.Name(29, 0), sourceRADIUS + ".29", "the visited network decides"},
		{dict.Name(85, 0), "RFC 2869 §5.16", "the visited network decides"},
		{dict.Name(8, 0), sourceRADIUS + ".8", "an address of another network"},
		{dict.Name(88, 0), "RFC 2869 §5.18", "a pool of another network"},
		{dict.VendorName(9, 1, 0), "Cisco", "Cisco-AVPair may carry VLANs, filters and URLs of another network"},
		{"14823:*", "Aruba", "roles and VLANs of another network"},
	} {
		steps = append(steps, PresetStep{Replies: true, Action: "remove", Attribute: r.attribute, Source: r.source, Reason: r.reason})
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
		d := requests
		if s.Replies {
			d = replies
		}
		if s.Requests && s.Replies {
			d = both
		}
		switch s.Action {
		case "reject":
			c.reject(Pattern{key, s.Attribute, s.Value})
		case "default":
			c.assign("default", Assignment{key, s.Attribute, []string{s.Value}}, d)
		case "remove":
			removed = append(removed, Item{key, s.Attribute})
			if i+1 == len(p.Steps) || p.Steps[i+1].Action != "remove" || p.Steps[i+1].Replies != s.Replies || p.Steps[i+1].Requests != s.Requests {
				c.filter("remove", removed, d)
				removed = nil
			}
		}
	}
}
