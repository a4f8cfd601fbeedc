package rules

// Preset is a rule that comes with the gateway.
//
// Rule: AR11.
type Preset struct {
	Name, Summary string
	Steps         []PresetStep
}

// PresetStep is one step of a preset.
type PresetStep struct {
	Requests, Replies bool   // which packets it is for
	Action            string // "reject", "remove", "keep", "set", "default", "add"
	Attribute         string
	Value             string // a pattern or a value; "" for remove and keep
	Source, Reason    string
}

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

// Presets returns the presets.
func Presets() []Preset { return nil }

// preset compiles the steps of a preset.
func (c *compiler) preset(key string, p *Preset) {
	for _, s := range p.Steps {
		r := &Rule{}
		switch s.Action {
		case "reject":
			r.Reject = []Pattern{{key, s.Attribute, s.Value}}
		case "remove":
			r.Remove = []Item{{key, s.Attribute}}
		case "set":
			r.Set = []Assignment{{key, s.Attribute, []string{s.Value}}}
		case "default":
			r.Default = []Assignment{{key, s.Attribute, []string{s.Value}}}
		}
		d := both
		if s.Requests != s.Replies {
			d = requests
			if s.Replies {
				d = replies
			}
		}
		c.steps(r, d)
	}
}
