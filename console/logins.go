package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"sallyport/policy"
	"sallyport/secret"
)

const (
	loginLasts = 8 * time.Hour
	loginsKept = 1000 // beyond it the one that ends first is dropped
)

// login is one browser that showed an admin's token.
type login struct {
	token   secret.Text
	expires time.Time
}

// logins are kept in memory, by the SHA-256 of their cookie: a restart ends
// them, and how long a search takes says nothing about the cookie.
type logins struct {
	now  func() time.Time
	mu   sync.Mutex
	kept map[[sha256.Size]byte]login
}

func newLogins(now func() time.Time) *logins {
	return &logins{now: now, kept: map[[sha256.Size]byte]login{}}
}

// add makes a login and returns its cookie's value.
func (l *logins) add(token secret.Text, p policy.Principal) string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	cookie := base64.RawURLEncoding.EncodeToString(raw)

	expires := l.now().Add(loginLasts)
	if !p.Expires.IsZero() && p.Expires.Before(expires) {
		expires = p.Expires
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.makeRoom()
	l.kept[sha256.Sum256([]byte(cookie))] = login{token: token, expires: expires}
	return cookie
}

// makeRoom drops logins that have ended, or else the one that would first.
func (l *logins) makeRoom() {
	if len(l.kept) < loginsKept {
		return
	}
	var first [sha256.Size]byte
	var at time.Time
	for key, in := range l.kept {
		if !l.now().Before(in.expires) {
			delete(l.kept, key)
		} else if at.IsZero() || in.expires.Before(at) {
			first, at = key, in.expires
		}
	}
	if len(l.kept) >= loginsKept {
		delete(l.kept, first)
	}
}

// token is the one that a cookie's login was made with.
func (l *logins) token(cookie string) (secret.Text, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := sha256.Sum256([]byte(cookie))
	in, found := l.kept[key]
	if !found {
		return secret.Text{}, false
	}
	if !l.now().Before(in.expires) {
		delete(l.kept, key)
		return secret.Text{}, false
	}
	return in.token, true
}

// end forgets a cookie's login.
func (l *logins) end(cookie string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.kept, sha256.Sum256([]byte(cookie)))
}
