package ul

import (
	"errors"
	"fmt"
	"strings"
)

// MaxAETitle is the most characters of an AE title (PS3.5 6.2 AE).
const MaxAETitle = 16

// ErrAETitle is in the chain of errors about an AE title that is empty, too long or
// holds what may not be in one.
var ErrAETitle = errors.New("ul: not an AE title")

// ParseAETitle checks an AE title of PS3.5 6.2: printable ISO 646 without backslash,
// at most 16 characters once leading and trailing spaces are cut, not empty. It
// returns the title without those spaces: compare only trimmed titles.
func ParseAETitle(s string) (string, error) {
	t := strings.Trim(s, " ")
	switch {
	case t == "":
		return "", fmt.Errorf("%w: empty", ErrAETitle)
	case len(t) > MaxAETitle:
		return "", fmt.Errorf("%w: %d characters", ErrAETitle, len(t))
	case !printable(t) || strings.Contains(t, `\`):
		return "", fmt.Errorf("%w: character outside printable ISO 646, or a backslash", ErrAETitle)
	}
	return t, nil
}

// title reads the AE title of a request. Padding with NUL in the place of spaces is
// tolerated: eFilm and old modalities do it.
//
// Deviation: PS3.8 9.3.2 wants spaces.
func (c *cursor) title(p []byte) (string, error) {
	s := string(p)
	if bare := strings.TrimRight(s, "\x00 "); strings.Contains(s[len(bare):], "\x00") {
		c.tolerate("an AE title is padded with NUL")
		s = bare
	}
	return ParseAETitle(s)
}

// appendAETitle pads with spaces to 16 bytes. An empty title stays blank: an
// acceptor returns what it was sent (PS3.8 9.3.3).
func appendAETitle(dst []byte, s string) ([]byte, error) {
	if s != "" {
		t, err := ParseAETitle(s)
		if err != nil {
			return dst, err
		}
		s = t
	}

	dst = append(dst, s...)
	for i := len(s); i < MaxAETitle; i++ {
		dst = append(dst, ' ')
	}
	return dst, nil
}
