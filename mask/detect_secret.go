package mask

const (
	secretNear = 40 // bytes after the words in which the value must begin
	secretWord = 28 // bytes before "key" in which its kind is named
	maxSecret  = 88 // bytes: 64 in base64
	secretHold = maxSecret + 8
)

// secretMachine finds secrets that look like any other base64, by the words
// before them: AWS secret access keys (40 bytes, "secret ... key"), Azure storage
// and service keys (88 bytes, "account key", "shared access key"), and the
// private_key_id of a GCP service account (40 hexadecimal digits).
type secretMachine struct {
	words int // where the last words ended
	kind  secretKind
	start int // of the run; -1: none has begun
}

type secretKind int8

const (
	noSecret secretKind = iota
	awsSecret
	azureSecret
	gcpSecret
)

func newCloudSecret() machine { return &secretMachine{start: -1} }

func (m *secretMachine) reset() { *m = secretMachine{start: -1} }

func (m *secretMachine) step(s *scan, i int) bool {
	b := s.at(i)
	if m.start >= 0 && !secretByte(b) {
		m.finish(s, i)
	}
	if kind := m.said(s, i, b); kind != noSecret {
		m.kind, m.words, m.start = kind, i+1, -1
		return true
	}
	switch {
	case m.kind == noSecret:
		return false
	case m.start >= 0:
		// Too long: none of these. The run is waited for, not kept.
		return true
	case secretByte(b) && b != '=' && !secretByte(s.at(i-1)) || secretByte(b) && b != '=' && s.at(i-1) == '=':
		m.start = i
	case i-m.words > secretNear:
		m.kind = noSecret
	}
	return m.kind != noSecret
}

// said is the kind of secret that the words up to i announce.
func (m *secretMachine) said(s *scan, i int, b byte) secretKind {
	switch b | 0x20 {
	case 'y':
		if s.at(i-1)|0x20 != 'e' || s.at(i-2)|0x20 != 'k' {
			return noSecret
		}
		before := s.slice(i-2-secretWord, i-2)
		switch {
		case containsFold(before, []byte("secret")):
			return awsSecret
		case containsFold(before, []byte("account")), containsFold(before, []byte("shared")), containsFold(before, []byte("azure")), containsFold(before, []byte("storage")):
			return azureSecret
		case containsFold(before, []byte("aws")):
			return awsSecret
		}
	case 'd':
		if s.at(i-1)|0x20 != 'i' {
			return noSecret
		}
		if id := s.slice(i-13, i+1); containsFold(id, []byte("private_key_id")) || containsFold(id, []byte("privatekeyid")) {
			return gcpSecret
		}
	}
	return noSecret
}

func secretByte(b byte) bool { return isAlnum(b) || b == '+' || b == '/' || b == '=' }

func (m *secretMachine) finish(s *scan, end int) {
	run := s.slice(m.start, end)
	found := false
	switch m.kind {
	case awsSecret:
		found = len(run) == 40 && run[39] != '='
	case azureSecret:
		found = len(run) == maxSecret && endsIn(run, "==")
	case gcpSecret:
		found = len(run) == 40
		for _, b := range run {
			found = found && isHex(b)
		}
	}
	if found {
		s.mark(m.start, end)
		m.kind = noSecret
	}
	m.start = -1
	if end-m.words > secretNear {
		m.kind = noSecret
	}
}

func (m *secretMachine) open(s *scan) int {
	if m.kind == noSecret || m.start < 0 || s.end-m.start > maxSecret {
		return s.end
	}
	return m.start
}

func (m *secretMachine) close(s *scan) {
	if m.start >= 0 {
		m.finish(s, s.end)
	}
	m.reset()
}
