package sign

import (
	"crypto"
	_ "crypto/md5"    // to check old signatures
	_ "crypto/sha1"   // to check old signatures
	_ "crypto/sha256" // MAC algorithm
	_ "crypto/sha512" // MAC algorithm

	//lint:ignore SA1019 PS3.15 C.1 wants every validator to know it; it is reported as weak.
	_ "golang.org/x/crypto/ripemd160"
)

// algorithm is a MAC algorithm of PS3.15 C.1.
type algorithm struct {
	term string // of MAC Algorithm (0400,0015)
	hash crypto.Hash
	weak bool // to check old signatures only
}

// algorithms is all of them.
func algorithms() []algorithm {
	return []algorithm{
		{term: "SHA256", hash: crypto.SHA256},
		{term: "SHA384", hash: crypto.SHA384},
		{term: "SHA512", hash: crypto.SHA512},
		{term: "RIPEMD160", hash: crypto.RIPEMD160, weak: true},
		{term: "SHA1", hash: crypto.SHA1, weak: true},
		{term: "MD5", hash: crypto.MD5, weak: true},
	}
}

// algorithmOf finds an algorithm by its defined term.
func algorithmOf(term string) (algorithm, bool) {
	for _, a := range algorithms() {
		if a.term == term {
			return a, true
		}
	}

	return algorithm{}, false
}

// algorithmFor finds an algorithm to sign with.
func algorithmFor(h crypto.Hash) (algorithm, bool) {
	for _, a := range algorithms() {
		if a.hash == h && !a.weak {
			return a, true
		}
	}

	return algorithm{}, false
}
