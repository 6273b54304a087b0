package inventory

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"

	"collimator/internal/advisory"
	"collimator/internal/fault"
)

// Keys are the OpenPGP keys by which publishers sign. The zero value checks no signature.
type Keys struct{ ring openpgp.EntityList }

// ReadKeys reads public keys, armoured or binary.
func ReadKeys(r io.Reader) (Keys, error) {
	b, err := io.ReadAll(io.LimitReader(r, 4<<20))
	if err != nil {
		return Keys{}, fmt.Errorf("inventory: read the keys: %w", err)
	}

	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(b))
	if err != nil {
		ring, err = openpgp.ReadKeyRing(bytes.NewReader(b))
	}
	if err != nil || len(ring) == 0 {
		return Keys{}, fault.New(fault.Invalid, "inventory: the file holds no OpenPGP public key")
	}

	return Keys{ring}, nil
}

// Given reports whether there are keys.
func (k Keys) Given() bool { return len(k.ring) > 0 }

// sealed is a document with what lay beside it.
type sealed struct {
	name           string // of the file, or the address
	body           []byte
	sha256, sha512 []byte // hash files; nil where there are none
	signature      []byte
}

// take checks a document and reads it. The error names it and says what is wrong.
func (s *sealed) take(keys Keys, needSignature bool) (Imported, error) {
	refuse := func(format string, args ...any) (Imported, error) {
		return Imported{}, fault.New(fault.Invalid, s.name+": refused: "+fmt.Sprintf(format, args...))
	}

	sum := sha256.Sum256(s.body)
	i := Imported{Source: s.name, SHA256: hex.EncodeToString(sum[:]), Hash: "none"}
	if s.sha256 != nil {
		i.Hash = "sha256"
		if hashIn(s.sha256) != i.SHA256 {
			return refuse("the SHA-256 beside it is that of another document")
		}
	}

	if s.sha512 != nil {
		i.Hash = "sha512"
		long := sha512.Sum512(s.body)
		if hashIn(s.sha512) != hex.EncodeToString(long[:]) {
			return refuse("the SHA-512 beside it is that of another document")
		}
	}

	if keys.Given() && s.signature != nil {
		signer, err := keys.check(s.body, s.signature)
		if err != nil {
			return refuse("the signature beside it does not verify with the keys given")
		}
		i.Signature = signer
	}

	if needSignature && i.Signature == "" {
		return refuse("it carries no signature that was checked, and --require-signature is set")
	}

	d, err := advisory.ParseCSAF(s.body)
	if err != nil {
		return refuse("%s", strings.TrimPrefix(err.Error(), "advisory: "))
	}

	if i.Advisory, err = d.Advisory(s.name); err != nil {
		return refuse("%s", strings.TrimPrefix(err.Error(), "advisory: "))
	}

	i.ID = d.ID
	i.Version = d.Version
	return i, nil
}

// hashIn is the first word of a hash file: "HASH  NAME".
func hashIn(b []byte) string {
	f := strings.Fields(string(b[:min(len(b), 4096)]))
	if len(f) == 0 {
		return ""
	}
	return strings.ToLower(f[0])
}

func (k Keys) check(body, signature []byte) (string, error) {
	signer, err := openpgp.CheckArmoredDetachedSignature(k.ring, bytes.NewReader(body), bytes.NewReader(signature), nil)
	if err != nil {
		signer, err = openpgp.CheckDetachedSignature(k.ring, bytes.NewReader(body), bytes.NewReader(signature), nil)
	}

	if err != nil {
		return "", err
	}
	return strings.ToUpper(hex.EncodeToString(signer.PrimaryKey.Fingerprint)), nil
}
