// Package uid names the unique identifiers of PS3.6 Annex A that this
// project uses, checks the grammar of UIDs and makes new ones.
package uid

import (
	"crypto/rand"
	"math/big"
	"sort"
	"strings"
)

// MaxLength is the most characters a UID may have (PS3.5 9.1).
const MaxLength = 64

// Valid reports whether s follows the grammar of PS3.5 9.1: components of
// digits joined by dots, no leading zero, at most 64 characters.
func Valid(s string) bool { return check(s, true) }

// Tolerable is Valid but for leading zeros, which equipment in the field
// sends; it never lets through anything but digits and single dots.
func Tolerable(s string) bool { return check(s, false) }

func check(s string, strict bool) bool {
	if s == "" || len(s) > MaxLength {
		return false
	}

	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] >= '0' && s[i] <= '9' {
			continue
		}
		if i < len(s) && s[i] != '.' {
			return false
		}
		if i == start || strict && i-start > 1 && s[start] == '0' {
			return false
		}

		start = i + 1
	}
	return true
}

// New makes a UID of the root 2.25 from 128 random bits (PS3.5 B.2).
func New() string {
	var b [16]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	b[6] = b[6]&0x0F | 0x40
	b[8] = b[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(b[:]).String()
}

// Name is the name of a SOP Class, transfer syntax or other UID of PS3.6, or
// the UID itself.
func Name(s string) string {
	if n, ok := names[s]; ok {
		return n
	}
	if n, ok := services[s]; ok {
		return n
	}

	i := sort.Search(len(sopClasses), func(i int) bool { return sopClasses[i].uid >= s })
	if i < len(sopClasses) && sopClasses[i].uid == s {
		return sopClasses[i].name
	}
	return s
}

// Named is the UID that has a name of PS3.6, whatever the case of its letters; false
// where none has it.
func Named(name string) (uid string, ok bool) {
	for i := range sopClasses {
		if strings.EqualFold(sopClasses[i].name, name) {
			return sopClasses[i].uid, true
		}
	}

	for _, table := range []map[string]string{names, services} {
		for uid, known := range table {
			if strings.EqualFold(known, name) {
				return uid, true
			}
		}
	}
	return "", false
}

// Storage reports a storage SOP Class of the table (PS3.4 B.5). Private and
// newer storage classes are not in it.
func Storage(s string) bool {
	i := sort.Search(len(sopClasses), func(i int) bool { return sopClasses[i].uid >= s })
	return i < len(sopClasses) && sopClasses[i].uid == s
}

// storageRoot is that of the storage SOP Classes of the standard, most of them.
const storageRoot = root + "5.1.4.1.1."

// Storable reports a SOP Class of objects: every storage class of the standard,
// retired and future ones too, and every private class. Who stores by it loses no
// image of a class that nobody here has heard of; a private class may be one of a
// service all the same.
func Storable(s string) bool {
	if !strings.HasPrefix(s, root) {
		return Tolerable(s)
	}
	return Storage(s) || strings.HasPrefix(s, storageRoot)
}

// StorageClasses lists the storage SOP Classes of the table in order.
func StorageClasses() []string {
	out := make([]string, len(sopClasses))
	for i := range sopClasses {
		out[i] = sopClasses[i].uid
	}
	return out
}
