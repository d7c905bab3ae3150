package mask

import (
	"slices"
	"sync"

	"sallyport/policy"
)

// Contents masks the HTTP exchanges of one target, for whoever makes them. Many
// may use one at once.
type Contents struct {
	rules []Rule
	mu    sync.Mutex
	made  map[string]Sides // by which of the rules hold
}

// maxMade bounds how many are kept for callers with different rules.
const maxMade = 256

// Sides is what is masked in the exchanges of one caller.
type Sides struct{ Request, Response Side }

// Side is what is masked in bodies that go one way.
type Side struct {
	*Content      // nil: nothing is
	Spared   bool // `unless` keeps a mask from the caller that holds for others
}

// NewContents compiles the rules for the exchanges of a target; nil when none
// masks any.
func NewContents(rules []Rule, target string) (*Contents, error) {
	c := &Contents{made: map[string]Sides{}}
	for _, r := range rules {
		if r.on(target) && len(r.Columns) == 0 && len(r.Fields)+len(r.Detect) > 0 {
			c.rules = append(c.rules, r)
		}
	}
	if len(c.rules) == 0 {
		return nil, nil
	}
	// With every rule at once, so that none fails later.
	_, err := newContent(c.rules)
	return c, err
}

// For is what is masked for the principal. A nil Contents masks nothing.
func (c *Contents) For(p policy.Principal) (Sides, error) {
	if c == nil {
		return Sides{}, nil
	}
	held := make([]byte, len(c.rules))
	for i, r := range c.rules {
		if r.Holds(p) {
			held[i] = 1
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if made, ok := c.made[string(held)]; ok {
		return made, nil
	}
	var made Sides
	var err error
	if made.Request, err = c.side(held, Rule.inRequest); err != nil {
		return Sides{}, err
	}
	if made.Response, err = c.side(held, Rule.inResponse); err != nil {
		return Sides{}, err
	}
	if len(c.made) >= maxMade {
		clear(c.made)
	}
	c.made[string(held)] = made
	return made, nil
}

// side compiles the rules that hold and are meant for it.
func (c *Contents) side(held []byte, meant func(Rule) bool) (s Side, err error) {
	var rules []Rule
	for i, r := range c.rules {
		switch {
		case !meant(r):
		case held[i] == 0:
			s.Spared = true
		default:
			rules = append(rules, r)
		}
	}
	s.Content, err = newContent(rules)
	return s, err
}

// newContent compiles rules that are all of one target.
func newContent(rules []Rule) (*Content, error) {
	f := &Fields{}
	var detections []Detection
	for _, r := range rules {
		f.list = append(f.list, r.fields()...)
		detections = append(detections, Detection{r.Detect, r.transform()})
	}
	if len(f.list) == 0 {
		f = nil
	}
	d, err := NewDetectors(detections...)
	if err != nil {
		return nil, err
	}
	return NewContent(f, d), nil
}

// inRequest and inResponse are what `in` says.
func (r Rule) inRequest() bool  { return r.In == "request" || r.In == "both" }
func (r Rule) inResponse() bool { return r.In != "request" }

// ByName reports whether members are protected by their names, which a text
// without names can't be read for.
func (c *Content) ByName() bool { return c != nil && c.fields != nil }

// unknownDetectors are the names in `detect` that there is no detector for.
func (r Rule) unknownDetectors() []string {
	known := DetectorNames()
	return slices.DeleteFunc(slices.Clone(r.Detect), func(name string) bool { return slices.Contains(known, name) })
}
