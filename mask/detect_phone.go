package mask

// newPhone finds telephone numbers that are written as such: international ones
// with + or 00, North American ones in three groups, French ones in pairs, and
// others with a trunk 0 in groups. Bare digits are none. ITU-T E.123, E.164.
func newPhone() machine { return &digitsMachine{judge: judgePhone, seps: " -./()", signs: "+("} }

func judgePhone(s *scan, groups []group) (start, end int, ok bool) {
	first := groups[0]
	start = first.start
	plus := false
	for range 2 {
		switch b := s.at(start - 1); {
		case b == '+' && !plus:
			plus = true
			start--
		case b == '(' && s.at(start) != '(':
			start--
		}
	}
	if b := s.at(start - 1); isAlnum(b) && first.sep == 0 || b == '_' {
		return 0, 0, false
	}
	n := 0
	switch {
	case plus:
		n = international(groups, 0)
	case first.len() >= 3 && s.at(first.start) == '0' && s.at(first.start+1) == '0' && first.sep == 0 && len(groups) > 1:
		n = international(groups, 2)
	}
	if n == 0 {
		n = max(northAmerican(s, groups), pairs(s, groups), trunk(s, groups))
	}
	if n == 0 || isLetter(s.at(groups[n-1].end)) {
		return 0, 0, false
	}
	return start, groups[n-1].end, true
}

// international is how many groups a number with a country code has: as many as
// 15 digits allow. prefix is how many digits are dialled before the code.
func international(groups []group, prefix int) int {
	digits, n := -prefix, 0
	for i, g := range groups {
		if digits += g.len(); digits > 15 {
			break
		}
		if digits >= 8 {
			n = i + 1
		}
	}
	return n
}

// northAmerican is 3, or 4 with a leading 1, for a number of the North American
// plan: (212) 555-0123, 212-555-0123, 1.212.555.0123.
func northAmerican(s *scan, groups []group) int {
	lead := 0
	if groups[0].len() == 1 && s.at(groups[0].start) == '1' && len(groups) > 3 {
		lead = 1
	}
	number := groups[lead:]
	if !sizes(number, 3, 3, 4) || s.at(number[0].start) < '2' || s.at(number[1].start) < '2' {
		return 0
	}
	n := lead + 3
	if b := number[1].sep; b == ')' {
		if s.at(number[0].start-1) != '(' || len(number) > 3 && number[3].sep == number[2].sep && number[2].sep != ' ' {
			return 0
		}
		return n
	}
	kind, same := uniform(groups[:n])
	switch {
	case !same || kind == '(' || kind == '/':
		return 0
	case kind == ' ' && !alone(groups, n):
		return 0
	case !apart(groups, n, kind):
		return 0
	}
	return n
}

// pairs is 5 for 01 23 45 67 89.
func pairs(s *scan, groups []group) int {
	if !sizes(groups, 2, 2, 2, 2, 2) || s.at(groups[0].start) != '0' || s.at(groups[0].start+1) == '0' {
		return 0
	}
	if kind, same := uniform(groups[:5]); !same || !apart(groups, 5, kind) {
		return 0
	}
	return 5
}

// trunk is how many groups a national number has that begins with a 0 before
// its area: 020 7946 0958, (030) 123 4567, 0170/1234567, 03-1234-5678.
func trunk(s *scan, groups []group) int {
	first, n := groups[0], len(groups)
	if n < 2 || n > 4 || first.sep != 0 || s.at(first.start) != '0' || s.at(first.start+1) == '0' || first.len() < 2 || first.len() > 6 {
		return 0
	}
	digits := first.len()
	for i, g := range groups[1:] {
		if g.sep == '.' || g.sep == '(' || g.len() < 3 && (i == 0 || i < n-2 || g.len() < 2) {
			return 0
		}
		digits += g.len()
	}
	if digits < 9 || digits > 12 {
		return 0
	}
	return n
}
