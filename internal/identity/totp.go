package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// Parameters of time-based one-time passwords (RFC 6238): what every
// authenticator app knows, SHA-1, six digits, a new one every 30 seconds.
const (
	totpPeriod = 30 * time.Second
	totpDigits = 6
	totpModulo = 1_000_000
	totpKey    = 20 // bytes, the length of the hash (RFC 4226 4)
	totpSkew   = 1  // steps that a clock may be off, either way (RFC 6238 5.2)
)

// totpStep is the number of a time step (RFC 6238 4.2).
func totpStep(t time.Time) int64 { return t.Unix() / int64(totpPeriod/time.Second) }

// totpCode is the one-time password of a step (RFC 4226 5.3).
func totpCode(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	return truncate(mac.Sum(nil), totpDigits, totpModulo)
}

// truncate picks the digits out of a hash (RFC 4226 5.3).
func truncate(sum []byte, digits int, modulo uint32) string {
	offset := sum[len(sum)-1] & 0x0F
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7FFF_FFFF
	return fmt.Sprintf("%0*d", digits, n%modulo)
}

// matchTOTP finds the step whose code this is, later than last: each code
// counts once (RFC 6238 5.2).
func matchTOTP(key []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	at := totpStep(now)
	for s := at - totpSkew; s <= at+totpSkew; s++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(key, s)), []byte(code)) == 1 && s > last && !ok {
			step = s
			ok = true
		}
	}
	return step, ok
}

func newTOTPKey() []byte {
	key := make([]byte, totpKey)
	rand.Read(key) // never returns an error (crypto/rand)
	return key
}

// TOTPSecret is a new secret in the two forms an authenticator app takes.
type TOTPSecret struct {
	Secret string `json:"secret"` // base32, to be typed
	URI    string `json:"uri"`    // otpauth://, to be shown as a QR code
}

// totpSecret writes down a key; issuer names this installation in the app.
func totpSecret(key []byte, issuer, person string) TOTPSecret {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + person,
		RawQuery: "secret=" + text + "&issuer=" + url.PathEscape(issuer)} // apps show a plus sign as it is
	return TOTPSecret{text, u.String()}
}
