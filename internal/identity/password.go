package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// The cost of a password hash: argon2id with the second recommended option of
// RFC 9106 4 (64 MiB, three passes).
const (
	argonTime    = 3
	argonMemory  = 64 * 1024 // KiB
	argonThreads = 4
	argonKey     = 32 // bytes
	argonSalt    = 16 // bytes
)

// hashCost is what a password hash costs whoever computes it.
type hashCost struct {
	passes, memory uint32 // memory in KiB
	threads        uint8
}

var (
	strong = hashCost{passes: argonTime, memory: argonMemory, threads: argonThreads}
	weak   = hashCost{passes: 1, memory: 8, threads: 1}
)

// MinPassword is the least number of characters of a password.
const MinPassword = 12

// maxPassword bounds the work a password may cause, in bytes.
const maxPassword = 1024

// checkPassword says what is wrong with a password that somebody chooses.
func checkPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return fault.NewCode(fault.Invalid, "password-short",
			fmt.Sprintf("identity: the password has %d characters; it needs at least %d", n, MinPassword))
	case len(password) > maxPassword:
		return fault.NewCode(fault.Invalid, "password-long",
			fmt.Sprintf("identity: the password has more than %d bytes", maxPassword))
	}
	return nil
}

// CheckPassword reports whether a person of this name exists, is not disabled
// and has this password. It takes as long for an unknown name.
func (r *Registry) CheckPassword(ctx context.Context, name, password string) (bool, error) {
	var hash string
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT password_hash FROM person WHERE name = ?1 AND disabled = 0`, name).Scan(&hash)
	})
	if err != nil && fault.Of(err) != fault.NotFound {
		return false, err
	}

	refused := hash == "" || len(password) > maxPassword
	if refused {
		hash = r.cost.phc(make([]byte, argonSalt), make([]byte, argonKey))
		password = ""
	}

	end, err := r.turn(ctx)
	if err != nil {
		return false, err
	}
	defer end()

	ok, err := verifyPassword(hash, password)
	return ok && !refused, err
}

// hashWait bounds the wait for a password hash: for those before it, and for its
// memory.
const hashWait = 15 * time.Second

var errHashes = fault.New(fault.Busy, "identity: many passwords are checked at this moment, or memory is taken; try again in a few seconds")

// turn waits until nobody else computes a password hash and there is the memory
// for one. It fails with fault.Busy where that takes too long.
func (r *Registry) turn(ctx context.Context) (end func(), err error) {
	ctx, stop := context.WithTimeoutCause(ctx, hashWait, errHashes)
	defer stop()
	select {
	case r.hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}

	account := r.account(ctx)
	if err := account.Reserve(ctx, argonMemory<<10); err != nil {
		account.Close()
		<-r.hashing
		return nil, err
	}
	return func() {
		account.Close()
		<-r.hashing
	}, nil
}

// account is from where a hash takes what it holds: of the request for which it
// is made, if it has one. There is one hash at a time, so it is in nobody's name.
func (r *Registry) account(ctx context.Context) *budget.Account {
	if of := budget.From(ctx); of != nil {
		return of.Common()
	}
	if r.memory == nil {
		return nil
	}
	return r.memory.Open()
}

func (r *Registry) hash(ctx context.Context, password string) (string, error) {
	end, err := r.turn(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	return r.cost.hash(password), nil
}

func (c hashCost) hash(password string) string {
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never returns an error (crypto/rand)
	return c.phc(salt, argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, argonKey))
}

// phc is the PHC string form, which carries its own parameters.
func (c hashCost) phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

func verifyPassword(hash, password string) (bool, error) {
	var version int
	var memory, passes uint32
	var threads uint8

	fields := strings.Split(hash, "$")
	if len(fields) != 6 || fields[1] != "argon2id" {
		return false, errors.New("identity: a stored password hash is not argon2id")
	}

	if _, err := fmt.Sscanf(fields[2]+" "+fields[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes,
		&threads); err != nil || version != argon2.Version {
		return false, errors.New("identity: a stored password hash has unknown parameters")
	}

	salt, err1 := base64.RawStdEncoding.DecodeString(fields[4])
	key, err2 := base64.RawStdEncoding.DecodeString(fields[5])
	if err1 != nil || err2 != nil || len(key) == 0 {
		return false, errors.New("identity: a stored password hash is damaged")
	}

	got := argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}
