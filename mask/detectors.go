package mask

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// detector is one kind of value that is found by its content.
type detector struct {
	// wake holds the bytes at which a sleeping machine looks up: rare ones, so
	// that most text costs a table look-up a byte.
	wake string
	// hold is how many bytes of undecided text the machine keeps at most.
	hold int
	make func() machine
	// context machines remember words that stand before a text.
	context bool
}

// detectors is every detector gateway.toml can name in `detect`.
var detectors = map[string]detector{
	"email":        {wake: "@0", hold: emailHold, make: newEmail},                         // detect_email.go
	"payment-card": {wake: digitBytes, hold: digitsHold, make: newCard},                   // detect_card.go
	"iban":         {wake: digitBytes, hold: ibanHold, make: newIBAN},                     // detect_iban.go
	"us-ssn":       {wake: digitBytes, hold: digitsHold, make: newSSN},                    // detect_ssn.go
	"phone":        {wake: digitBytes, hold: digitsHold, make: newPhone},                  // detect_phone.go
	"ip":           {wake: ".:", hold: ipHold, make: newIP},                               // detect_ip.go
	"jwt":          {wake: "J", hold: jwtHold, make: newJWT},                              // detect_jwt.go
	"private-key":  {wake: "-", hold: pemHold, make: newPEM},                              // detect_pem.go
	"api-key":      {wake: wakeKeys(apiKeys), hold: keysHold, make: newAPIKeys},           // detect_apikey.go
	"cloud-key":    {wake: wakeKeys(cloudKeys), hold: keysHold, make: newCloudKeys},       // detect_cloud.go
	cloudSecret:    {wake: "yYdD", hold: secretHold, make: newCloudSecret, context: true}, // detect_secret.go
}

// cloudSecret is the half of cloud-key that goes by the words before a value.
const cloudSecret = "cloud-key "

// Detectors finds values by what they look like, in one pass over a text. Many
// may use one at once.
type Detectors struct {
	names []string     // by machine
	with  []*Transform // by machine
	kinds []detector   // by machine
	wake  [256]uint16  // the machines a byte wakes
	scans *sync.Pool   // of *scan
}

// Detection is what one rule finds and what becomes of it.
type Detection struct {
	Detect []string
	With   *Transform
}

// NewDetectors compiles the detections; the first one that names a detector says
// what becomes of its values. Nil when none names any.
func NewDetectors(list ...Detection) (*Detectors, error) {
	d := &Detectors{}
	for _, one := range list {
		for _, name := range one.Detect {
			if _, known := detectors[name]; !known || name == cloudSecret {
				return nil, fmt.Errorf("no detector %q", name)
			}
			if slices.Contains(d.names, name) {
				continue
			}
			d.add(name, name, one.With)
			if name == "cloud-key" {
				d.add(name, cloudSecret, one.With)
			}
		}
	}
	if len(d.names) == 0 {
		return nil, nil
	}
	return d.pooled(), nil
}

// pooled makes the scans that many share.
func (d *Detectors) pooled() *Detectors {
	d.scans = &sync.Pool{New: func() any { return newScan(d) }}
	return d
}

func (d *Detectors) add(name, kind string, with *Transform) {
	k := detectors[kind]
	for _, b := range []byte(k.wake) {
		d.wake[b] |= 1 << len(d.names)
	}
	d.names, d.with, d.kinds = append(d.names, name), append(d.with, with), append(d.kinds, k)
}

// DetectorNames lists the detectors, sorted.
func DetectorNames() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(detectors)), func(s string) bool { return s == cloudSecret })
}

// Span is a value that was found: text[Start:End]. Values that overlap are one
// span, with the name of the detector that found all of it, or else of one that
// found a part.
type Span struct {
	Start, End int
	Name       string
}

// Find appends the spans of text to dst, in order and without overlap. A nil
// Detectors finds nothing.
func (d *Detectors) Find(dst []Span, text []byte) []Span {
	if d == nil {
		return dst
	}
	s := d.whole(text, "", 0)
	for _, f := range s.found {
		dst = append(dst, Span{f.start, f.end, d.names[f.by]})
	}
	d.release(s)
	return dst
}

// Append appends text to dst with all that was found in it masked, and says how
// many spans those were. Context is what stands before the text, such as the
// name of the member whose value it is; "" for nothing.
func (d *Detectors) Append(dst, text []byte, context string) ([]byte, int) {
	if d == nil {
		return append(dst, text...), 0
	}
	from := 0
	if context = d.useful(context); context == "" {
		if from = d.stirs(text); from == len(text) {
			return append(dst, text...), 0
		}
	}
	s := d.whole(text, context, from)
	defer d.release(s)
	if len(s.found) == 0 {
		return append(dst, text...), 0
	}
	copied, n := s.sent, 0
	for _, f := range s.found {
		if f.end <= s.sent {
			continue
		}
		dst = append(dst, s.slice(copied, max(f.start, copied))...)
		dst = s.replace(dst, f)
		copied = f.end
		n++
	}
	return append(dst, s.slice(copied, s.end)...), n
}

// stirs is where the first byte of text is that wakes a machine; its length for
// none.
func (d *Detectors) stirs(text []byte) int {
	for i, b := range text {
		if d.wake[b] != 0 {
			return i
		}
	}
	return len(text)
}

// whole scans a text that is all there, behind a useful context or none. Before
// from nothing stirs in it.
func (d *Detectors) whole(text []byte, context string, from int) *scan {
	s := d.scans.Get().(*scan)
	if context != "" {
		s.begin(context)
		s.text = append(s.text, text...)
	} else {
		s.text = text
	}
	s.end = len(s.text)
	s.run(s.sent + from)
	s.close()
	return s
}

func (d *Detectors) release(s *scan) {
	if cap(s.text) > maxKeep || s.sent == 0 {
		s.text = nil // too large to keep, or not ours
	}
	s.reset()
	d.scans.Put(s)
}
