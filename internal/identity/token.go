package identity

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Bounds of tokens.
const (
	maxToken      = 16 << 10 // bytes
	tokenLeeway   = time.Minute
	tokenLifetime = 24 * time.Hour // one that is valid for longer is refused
	tokenMemory   = 100_000        // identifiers kept to recognise a replay
)

// errToken is what a caller may know of a token that does not count.
var errToken = errors.New("identity: the token does not count")

// TokenVerifier checks JSON Web Tokens of one issuer (RFC 7519), as they come
// with user identity negotiation of type 5 (PS3.7 D.3.3.7). Each token counts
// once: who overhears one cannot use it again. Safe for concurrent use.
type TokenVerifier struct {
	issuer, audience string
	keys             []any
	now              func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time // identifier to its end
}

// NewTokenVerifier makes a verifier of an issuer's public keys, given as PEM
// (PUBLIC KEY or CERTIFICATE blocks).
func NewTokenVerifier(issuer, audience string, keysPEM []byte, now func() time.Time) (*TokenVerifier, error) {
	if issuer == "" || audience == "" {
		return nil, errors.New("identity: tokens need an issuer and an audience")
	}
	v := &TokenVerifier{issuer: issuer, audience: audience, now: now, seen: map[string]time.Time{}}

	for block, rest := pem.Decode(keysPEM); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "PUBLIC KEY":
			key, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "CERTIFICATE":
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				key = cert.PublicKey
			}
		default:
			return nil, fmt.Errorf("identity: a %s block is not a public key", block.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("identity: key of the token issuer: %w", err)
		}
		v.keys = append(v.keys, key)
	}

	if len(v.keys) == 0 {
		return nil, errors.New("identity: no public key in PEM form found")
	}
	return v, nil
}

// Verify checks a token and returns its subject. Signature algorithms are those
// with asymmetric keys. The error says nothing of the token.
func (v *TokenVerifier) Verify(token string) (subject string, err error) {
	if len(token) > maxToken {
		return "", errToken
	}

	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256,
		jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA})
	if err != nil {
		return "", errToken
	}

	for _, key := range v.keys {
		var claims jwt.Claims
		if parsed.Claims(key, &claims) == nil {
			return v.claims(claims)
		}
	}
	return "", errToken
}

func (v *TokenVerifier) claims(c jwt.Claims) (string, error) {
	now := v.now()
	if c.ValidateWithLeeway(jwt.Expected{Issuer: v.issuer, AnyAudience: jwt.Audience{v.audience}, Time: now}, tokenLeeway) != nil {
		return "", errToken
	}

	if c.Subject == "" || c.ID == "" || c.Expiry == nil || c.Expiry.Time().After(now.Add(tokenLifetime)) {
		return "", errToken
	}

	v.mu.Lock()
	defer v.mu.Unlock()

	for id, end := range v.seen {
		if len(v.seen) < tokenMemory/2 {
			break
		}
		if now.After(end.Add(tokenLeeway)) {
			delete(v.seen, id)
		}
	}

	if _, again := v.seen[c.ID]; again || len(v.seen) >= tokenMemory {
		return "", errToken
	}
	v.seen[c.ID] = c.Expiry.Time()
	return c.Subject, nil
}
