package mask

// newCard finds payment card numbers: 12 to 19 digits, undivided or in the
// groups that are printed, with an issuer's prefix, its length and a Luhn
// checksum that holds. ISO/IEC 7812.
func newCard() machine { return &digitsMachine{judge: judgeCard, seps: " -"} }

func judgeCard(s *scan, groups []group) (start, end int, ok bool) {
	first := groups[0]
	// The decimals of a number.
	if first.sep == 0 && s.at(first.start-1) == '.' && isDigit(s.at(first.start-2)) {
		return 0, 0, false
	}
	if first.len() < 3 && first.sep != 0 {
		return 0, 0, false
	}
	var number [maxDigits]byte
	n := 0
	for i, g := range groups {
		if n+g.len() > maxDigits {
			break
		}
		n += copy(number[n:], s.slice(g.start, g.end))
		if cardShape(groups, i+1) && issued(number[:n]) && luhn(number[:n]) {
			start, end, ok = first.start, g.end, true
		}
	}
	return start, end, ok
}

// cardShape reports whether a card's number is written in the first n groups.
func cardShape(groups []group, n int) bool {
	if n == 1 {
		return true
	}
	window := groups[:n]
	if _, ok := uniform(window); !ok {
		return false
	}
	switch last := window[n-1].len(); {
	case n == 3 && sizes(window, 4, 6) && (last == 4 || last == 5):
		return true // American Express, Diners Club
	case n == 2 && sizes(window, 8, 8), n == 2 && sizes(window, 6, 13):
		return true
	}
	fours, ones := true, true
	for i, g := range window {
		fours = fours && (g.len() == 4 || i == n-1 && g.len() < 4)
		ones = ones && g.len() == 1
	}
	return fours || ones && alone(groups, n)
}

// issuers are the ranges of prefixes of four digits, with the lengths of their
// numbers.
var issuers = []struct{ from, to, shortest, longest int }{
	{2014, 2014, 15, 15}, {2149, 2149, 15, 15}, // enRoute
	{2200, 2204, 16, 19},                                                                   // Mir
	{2221, 2720, 16, 16},                                                                   // Mastercard
	{3000, 3059, 14, 19}, {3095, 3095, 14, 19}, {3600, 3699, 14, 19}, {3800, 3999, 14, 19}, // Diners Club
	{3400, 3499, 15, 15}, {3700, 3799, 15, 15}, // American Express
	{3528, 3589, 16, 19},                                             // JCB
	{4000, 4999, 16, 16}, {4000, 4999, 13, 13}, {4000, 4999, 19, 19}, // Visa
	{5018, 5018, 12, 19}, {5020, 5020, 12, 19}, {5038, 5038, 12, 19}, {5893, 5893, 12, 19}, // Maestro
	{5019, 5019, 16, 16},                       // Dankort
	{5060, 5061, 16, 19}, {6500, 6509, 16, 19}, // Verve, Discover
	{5080, 5089, 16, 16},                       // RuPay
	{5100, 5599, 16, 16},                       // Mastercard
	{6011, 6011, 16, 19}, {6440, 6599, 16, 19}, // Discover
	{6040, 6042, 16, 16}, {6069, 6069, 16, 16}, {6070, 6099, 16, 16}, {6521, 6522, 16, 16}, // UkrCard, RuPay
	{6200, 6299, 14, 19}, {8100, 8171, 16, 19}, // UnionPay
	{6304, 6304, 12, 19}, {6390, 6390, 12, 19}, {6759, 6763, 12, 19}, {6334, 6334, 16, 19}, {6767, 6767, 16, 19}, // Maestro, Solo
	{6370, 6370, 16, 16}, // InstaPayment
	{9792, 9792, 16, 16}, // Troy
}

// issued reports whether an issuer gives out numbers with this prefix and length.
func issued(number []byte) bool {
	if len(number) < 12 {
		return false
	}
	prefix := 0
	for _, b := range number[:4] {
		prefix = prefix*10 + int(b-'0')
	}
	for _, r := range issuers {
		if r.from <= prefix && prefix <= r.to && r.shortest <= len(number) && len(number) <= r.longest {
			return true
		}
	}
	return false
}

// luhn reports whether the checksum holds. ISO/IEC 7812-1, annex B.
func luhn(number []byte) bool {
	sum := 0
	for i, b := range number {
		d := int(b - '0')
		if (len(number)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
