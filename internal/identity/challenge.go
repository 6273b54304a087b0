package identity

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"collimator/internal/fault"
)

// Bounds of what is begun and answered.
const (
	challengeLifetime = 5 * time.Minute
	challengeMost     = 2048   // bytes of one, as text
	answeredMost      = 65_536 // that are remembered at a time
)

// challenges are the two halves of a way to sign in without anything being
// kept between them: what the second half needs is sealed (XChaCha20-Poly1305,
// with a key of this process) and goes to the browser, which brings it back.
// However many are begun, nobody else is kept from beginning. Only those that
// were answered as they should are remembered, until they end, so that each
// counts once. Safe for concurrent use.
type challenges[T any] struct {
	now  func() time.Time
	what string // binds a challenge to what it was made for
	aead cipher.AEAD

	mu       sync.Mutex
	answered map[[32]byte]time.Time // by digest, until when
}

// challenge is what is sealed.
type challenge[T any] struct {
	Until time.Time
	Value T
}

func newChallenges[T any](now func() time.Time, what string) *challenges[T] {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key) // never returns an error (crypto/rand)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic("identity: " + err.Error()) // the key has the length it asks for
	}
	return &challenges[T]{now: now, what: what, aead: aead, answered: map[[32]byte]time.Time{}}
}

// seal makes a challenge that holds value. It is different each time.
func (c *challenges[T]) seal(value T) ([]byte, error) {
	plain, err := json.Marshal(challenge[T]{c.now().Add(challengeLifetime), value})
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "identity: begin to sign in")
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	rand.Read(nonce)
	return c.aead.Seal(nonce, nonce, plain, []byte(c.what)), nil
}

// open reads the value that was sealed, from its text in base64url. It reports false
// for a text of another purpose or key, for one that was altered, and when the
// time of the challenge is over.
func (c *challenges[T]) open(text string) (value T, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > challengeMost || len(sealed) < chacha20poly1305.NonceSizeX {
		return value, false
	}

	nonce, sealed := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	plain, err := c.aead.Open(nil, nonce, sealed, []byte(c.what))
	if err != nil {
		return value, false
	}

	var x challenge[T]
	if json.Unmarshal(plain, &x) != nil || !c.now().Before(x.Until) {
		return value, false
	}
	return x.Value, true
}

// answerKey tells challenges apart by what is sealed, and not by its text, which
// can be written in several ways.
func answerKey(text string) [sha256.Size]byte {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		sealed = []byte(text) // none of ours: open has said so
	}
	return sha256.Sum256(sealed)
}

// used reports a challenge that was answered as it should before.
func (c *challenges[T]) used(text string) bool {
	key := answerKey(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.answered[key]
	return ok && c.now().Before(until)
}

// errAnswers is for more right answers than can be remembered.
var errAnswers = fault.New(fault.Busy, "identity: too many people have signed in within the last minutes; try again in a few minutes")

// answer uses up a challenge that was answered as it should; false where it was
// before. Whoever has not shown what was asked for uses up none, so that
// strangers cannot fill what is remembered; where it is full nothing counts
// until there is room.
func (c *challenges[T]) answer(text string) (first bool, err error) {
	key := answerKey(text)
	c.mu.Lock()
	defer c.mu.Unlock()

	now := c.now()
	if until, ok := c.answered[key]; ok && now.Before(until) {
		return false, nil
	}

	if len(c.answered) >= answeredMost {
		for k, until := range c.answered {
			if !now.Before(until) {
				delete(c.answered, k)
			}
		}
	}

	if len(c.answered) >= answeredMost {
		return false, errAnswers
	}
	c.answered[key] = now.Add(challengeLifetime) // it ended by then, whenever it was made
	return true, nil
}
