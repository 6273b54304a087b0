package dicomweb

import (
	"bufio"
	"errors"
	"io"
)

// errJSON is metadata in which no data sets can be told apart.
var errJSON = errors.New("dicomweb: the metadata are not a JSON array of data sets")

// span is the place of a data set in metadata.
type span struct{ offset, length int64 }

// jsonSets tells the data sets of metadata apart (PS3.18 F.2), in constant memory:
// each is decoded by itself, so that one after the other is in memory. What stands
// between the braces is not looked at.
type jsonSets struct {
	br    *bufio.Reader
	at    int64 // of the next byte
	array bool
	state setState
}

type setState uint8

const (
	beforeSets setState = iota
	firstSet
	laterSet
	afterSets
)

func newJSONSets(r io.Reader) *jsonSets { return &jsonSets{br: bufio.NewReaderSize(r, 32<<10)} }

// next is where the next data set stands; io.EOF behind the last.
func (j *jsonSets) next() (span, error) {
	c, err := j.token()
	if j.state == beforeSets && err == nil {
		j.state = firstSet
		if j.array = c == '['; j.array {
			c, err = j.token()
		}
	}

	if err == nil && j.array && j.state == laterSet && c == ',' {
		if c, err = j.token(); err == nil && c != '{' {
			return span{}, errJSON
		}
	} else if j.state == laterSet && c == '{' {
		return span{}, errJSON
	}

	switch {
	case err == io.EOF && (j.state == afterSets || j.state == laterSet && !j.array):
		return span{}, io.EOF
	case err == io.EOF:
		return span{}, errJSON
	case err != nil:
		return span{}, err
	case c == ']' && j.array && j.state != afterSets:
		j.state = afterSets
		return j.next()
	case c != '{' || j.state == afterSets:
		return span{}, errJSON
	}

	j.state = laterSet
	return j.object()
}

// object steps behind the object whose brace was read.
func (j *jsonSets) object() (span, error) {
	start := j.at - 1
	quoted := false
	for depth := 1; depth > 0; {
		c, err := j.byte()
		if err == io.EOF {
			return span{}, errJSON
		}
		if err != nil {
			return span{}, err
		}

		switch {
		case quoted && c == '\\':
			if _, err := j.byte(); err != nil {
				return span{}, errJSON
			}
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return span{start, j.at - start}, nil
}

// token is the next byte after white space.
func (j *jsonSets) token() (byte, error) {
	for {
		c, err := j.byte()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, err
		}
	}
}

func (j *jsonSets) byte() (byte, error) {
	c, err := j.br.ReadByte()
	if err == nil {
		j.at++
	}
	return c, err
}
