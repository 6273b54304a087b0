package maintenance

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net"
	"strconv"
	"strings"

	"collimator/internal/fault"
)

// Lengths within a code, in bytes: of the SHA-256 of the server's certificate, and of
// the secret, which nobody guesses.
const (
	pinSize    = sha256.Size
	secretSize = 20
)

// codeMost is the longest text that is read as a code, in bytes.
const codeMost = 400

// Code is what somebody is given to come through a door: where the server is, by what
// certificate it is known, and a secret that counts once.
type Code struct {
	Address string // HOST:PORT of the HTTPS listener
	// Fingerprint is the SHA-256 of its certificate, in lower-case hex.
	Fingerprint string
	Secret      string
}

// String is the code as it is given: HOST:PORT/ and 70 letters, digits, - and _.
func (c Code) String() string {
	pin, _ := hex.DecodeString(c.Fingerprint)
	secret, _ := base64.RawURLEncoding.DecodeString(c.Secret)
	return c.Address + "/" + base64.RawURLEncoding.EncodeToString(append(pin, secret...))
}

var errNoCode = fault.New(fault.Invalid,
	"maintenance: that is not a code; it looks like gate.example:8443/ with 70 letters, digits, - and _ behind it, on one line")

// ParseCode reads a code.
func ParseCode(text string) (c Code, err error) {
	text = strings.TrimSpace(text)
	address, rest, ok := strings.Cut(text, "/")
	if !ok || len(text) > codeMost {
		return c, errNoCode
	}

	host, port, err := net.SplitHostPort(address)
	n, wrong := strconv.ParseUint(port, 10, 16)
	if err != nil || wrong != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@?# \t%") {
		return c, errNoCode
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(b) != pinSize+secretSize {
		return c, errNoCode
	}
	return Code{address, hex.EncodeToString(b[:pinSize]), base64.RawURLEncoding.EncodeToString(b[pinSize:])}, nil
}

func newSecret() string {
	b := make([]byte, secretSize)
	rand.Read(b) // never returns an error (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// secretHash is how a secret is kept: of 160 random bits a fast hash is enough.
func secretHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
