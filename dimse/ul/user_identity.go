package ul

import (
	"bytes"
	"fmt"
	"log/slog"
)

// IdentityType says what a user identity is made of (PS3.7 D.3.3.7).
type IdentityType uint8

// Types of user identity.
const (
	IdentityUsername         IdentityType = 1
	IdentityUsernamePasscode IdentityType = 2
	IdentityKerberos         IdentityType = 3
	IdentitySAML             IdentityType = 4
	IdentityJWT              IdentityType = 5
)

// String is the type in a word.
func (t IdentityType) String() string {
	switch t {
	case IdentityUsername:
		return "username"
	case IdentityUsernamePasscode:
		return "username-passcode"
	case IdentityKerberos:
		return "Kerberos"
	case IdentitySAML:
		return "SAML"
	case IdentityJWT:
		return "JWT"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Secret is a credential. It prints as its length and nothing else, under every fmt
// verb, slog handler and JSON encoder.
type Secret struct{ p *[]byte }

// NewSecret keeps a copy of b.
func NewSecret(b []byte) Secret {
	b = bytes.Clone(b)
	return Secret{p: &b}
}

// Reveal is the content; do not change it.
func (s Secret) Reveal() []byte {
	if s.p == nil {
		return nil
	}
	return *s.p
}

// Len is the length in bytes.
func (s Secret) Len() int { return len(s.Reveal()) }

func (s Secret) describe() string { return fmt.Sprintf("[%d bytes]", s.Len()) }

// Format implements fmt.Formatter.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.describe()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.describe()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.describe()), nil }

// UserIdentity is who asks (PS3.7 D.3.3.7.1).
type UserIdentity struct {
	Kind                      IdentityType
	PositiveResponseRequested bool
	// Primary is the user name, ticket, assertion or token; Secondary the passcode of type 2.
	Primary   Secret
	Secondary Secret
}

// UserIdentityResponse is the positive answer to a user identity (PS3.7 D.3.3.7.2).
type UserIdentityResponse struct {
	// ServerResponse is empty for types 1 and 2, else a Kerberos, SAML or JWT answer.
	ServerResponse Secret
}

func decodeUserIdentity(c *cursor, lim Limits) (*UserIdentity, error) {
	p, err := c.take(2)
	if err != nil {
		return nil, err
	}

	id := &UserIdentity{Kind: IdentityType(p[0]), PositiveResponseRequested: p[1] == 1}
	if id.Kind < IdentityUsername || id.Kind > IdentityJWT {
		return nil, c.err(InvalidValue, "PS3.7 D.3.3.7", "unknown user identity type")
	}

	primary, err := c.credential(lim)
	if err != nil {
		return nil, err
	}
	secondary, err := c.credential(lim)
	if err != nil {
		return nil, err
	}

	if id.Kind != IdentityUsernamePasscode && len(secondary) > 0 {
		return nil, c.err(InvalidValue, "PS3.7 D.3.3.7", "secondary field with a type that has none")
	}
	id.Primary, id.Secondary = NewSecret(primary), NewSecret(secondary)
	return id, nil
}

func (c *cursor) credential(lim Limits) ([]byte, error) {
	p, err := c.counted()
	if err != nil {
		return nil, err
	}
	if len(p) > lim.Credential {
		return nil, c.err(BeyondLimits, "PS3.7 D.3.3.7", "user identity field longer than the limit")
	}
	return p, nil
}

func decodeUserIdentityResponse(c *cursor, lim Limits) (*UserIdentityResponse, error) {
	p, err := c.credential(lim)
	if err != nil {
		return nil, err
	}
	return &UserIdentityResponse{ServerResponse: NewSecret(p)}, nil
}

func (id *UserIdentity) appendItem(dst []byte) ([]byte, error) {
	primary, err := counted(id.Primary.Reveal())
	if err != nil {
		return dst, err
	}
	secondary, err := counted(id.Secondary.Reveal())
	if err != nil {
		return dst, err
	}

	head := []byte{byte(id.Kind), 0}
	if id.PositiveResponseRequested {
		head[1] = 1
	}
	return appendItem(dst, itemUserIdentity, head, primary, secondary)
}
