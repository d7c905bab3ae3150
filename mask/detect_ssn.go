package mask

const ssnContext = 48 // bytes before nine bare digits in which the words must stand

// newSSN finds US social security numbers: 078-05-1120, with an area, group and
// serial that are given out; with spaces where nothing else is joined to it;
// bare, or with dots, where words before it say what it is.
func newSSN() machine { return &digitsMachine{judge: judgeSSN, seps: " -."} }

// ssnWords say that a number is one.
var ssnWords = [][]byte{[]byte("ssn"), []byte("social sec"), []byte("social_sec"), []byte("social-sec"), []byte("socialsec"), []byte("soc sec"), []byte("tax id"), []byte("tax_id"), []byte("taxid"), []byte("taxpayer")}

func judgeSSN(s *scan, groups []group) (start, end int, ok bool) {
	first := groups[0]
	said := func() bool {
		before := s.slice(first.start-ssnContext, first.start)
		for _, word := range ssnWords {
			if containsFold(before, word) {
				return true
			}
		}
		return false
	}
	last := first
	switch {
	case sizes(groups, 3, 2, 4):
		last = groups[2]
		switch kind, same := uniform(groups[:3]); {
		case !same || !apart(groups, 3, kind):
			return 0, 0, false
		case kind == ' ' && !alone(groups, 3) && !said(), kind == '.' && !said():
			return 0, 0, false
		}
	case first.len() == 9 && (len(groups) == 1 || groups[1].sep != '-') && first.sep != '-' && said():
	default:
		return 0, 0, false
	}
	if b := s.at(first.start - 1); first.sep == 0 && (isAlnum(b) || b == '_') && !said() {
		return 0, 0, false
	}
	if isLetter(s.at(last.end)) {
		return 0, 0, false
	}
	n := make([]byte, 0, 9)
	for _, g := range groups[:3] {
		if n = append(n, s.slice(g.start, g.end)...); len(n) == 9 {
			break
		}
	}
	area, serial := string(n[:3]), string(n[5:])
	if area == "000" || area == "666" || area[0] == '9' || string(n[3:5]) == "00" || serial == "0000" {
		return 0, 0, false
	}
	return first.start, last.end, true
}
