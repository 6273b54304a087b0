package dicom

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom/tag"
)

// UnmarshalJSON reads a data set in the DICOM JSON model (PS3.18 F.2). Its
// text is in UTF-8, which (0008,0005) says if it goes beyond ASCII. What is
// wrong comes as a *SyntaxError with the offset in b.
func UnmarshalJSON(b []byte, o JSONOptions) (*DataSet, error) {
	return DecodeJSON(bytes.NewReader(b), o)
}

// DecodeJSON is UnmarshalJSON for a text that is read to its end.
func DecodeJSON(r io.Reader, o JSONOptions) (*DataSet, error) {
	j := newJSONReader(r, o)
	if err := j.delim('{'); err != nil {
		return nil, err
	}

	ds, err := j.root()
	if err != nil {
		return nil, err
	}
	if _, err := j.dec.Token(); err != io.EOF {
		return nil, j.fail("more than one JSON value")
	}
	return ds, nil
}

// JSONReader reads an array of data sets in the DICOM JSON model one after the
// other, as the answers of PS3.18 10 have them.
type JSONReader struct {
	j     *jsonReader
	begun bool
}

// NewJSONReader reads from r, which it reads ahead.
func NewJSONReader(r io.Reader, o JSONOptions) *JSONReader {
	return &JSONReader{j: newJSONReader(r, o)}
}

// Next gives the next data set, io.EOF behind the last. The limits count anew
// for each.
func (r *JSONReader) Next() (*DataSet, error) {
	if !r.begun {
		if err := r.j.delim('['); err != nil {
			return nil, err
		}
		r.begun = true
	}

	if !r.j.dec.More() {
		if err := r.j.delim(']'); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}

	r.j.count = 0
	if err := r.j.delim('{'); err != nil {
		return nil, err
	}
	return r.j.root()
}

// jsonReader reads in one pass, in time linear to the input.
type jsonReader struct {
	dec    *json.Decoder
	o      JSONOptions
	limits Limits
	count  int
	wide   bool // text beyond ASCII was seen
	tags   []Tag
	charge charger
}

func newJSONReader(r io.Reader, o JSONOptions) *jsonReader {
	j := &jsonReader{o: o, limits: o.Limits.withDefaults(), charge: charger{account: o.Account}}
	j.dec = json.NewDecoder(&chargedReader{r, &j.charge})
	j.dec.UseNumber()
	return j
}

func (j *jsonReader) fail(reason string) error { return j.failWith(reason, nil) }

func (j *jsonReader) failWith(reason string, err error) error {
	e := &SyntaxError{Offset: j.dec.InputOffset(), Clause: "PS3.18 F.2", Reason: reason, err: err}
	var path []string
	for _, t := range j.tags {
		e.Tag = t
		e.tagged = true
		path = append(path, t.String())
	}
	if len(path) > 1 {
		e.Path = strings.Join(path[:len(path)-1], ".")
	}
	return e
}

// token is the next token. The errors of encoding/json quote their input and
// are left behind.
func (j *jsonReader) token() (json.Token, error) {
	t, err := j.dec.Token()
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return nil, j.failWith("JSON ends too early", io.ErrUnexpectedEOF)
	case err != nil:
		if _, ok := err.(*json.SyntaxError); ok {
			return nil, j.fail("not JSON")
		}
		return nil, err
	}
	return t, j.charge.add(costOfToken(t))
}

// chargedReader takes from an Account what is read, before a token is whole:
// encoding/json keeps one token in memory, however long it is.
type chargedReader struct {
	r      io.Reader
	charge *charger
}

// Read implements io.Reader.
func (c *chargedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if charged := c.charge.add(int64(n)); charged != nil {
		return n, charged
	}
	return n, err
}

// costOfToken is what a token adds in memory until its data set is built, and
// what its element takes then.
func costOfToken(t json.Token) int64 {
	switch t := t.(type) {
	case json.Delim:
		return itemCost / 2 // one opens, one closes
	case string:
		return tokenCost + 2*int64(len(t))
	case json.Number:
		return tokenCost + 2*int64(len(t))
	}
	return tokenCost
}

func (j *jsonReader) delim(want json.Delim) error {
	t, err := j.token()
	if err != nil {
		return err
	}
	if t != want {
		return j.fail("a JSON " + want.String() + " is due")
	}
	return nil
}

// root reads a data set behind its opening brace.
func (j *jsonReader) root() (*DataSet, error) {
	j.wide = false
	ds := NewDataSet()
	ds.charset = unicodeHome.charset
	if err := j.attributes(ds, ""); err != nil {
		return nil, err
	}
	if !j.wide && !ds.Has(tag.SpecificCharacterSet) {
		ds.charset = nil
		return ds, nil
	}
	return ds, ds.SetText(tag.SpecificCharacterSet, "ISO_IR 192")
}

// attributes reads the members of a data set up to the closing brace. The
// first key may have been read already.
func (j *jsonReader) attributes(ds *DataSet, key string) error {
	for {
		if key == "" {
			t, err := j.token()
			if err != nil {
				return err
			}
			if t == json.Delim('}') {
				break
			}
			key, _ = t.(string)
		}

		n, err := strconv.ParseUint(key, 16, 32)
		if err != nil || len(key) != 8 {
			return j.fail("a key is not a tag of eight hexadecimal digits")
		}
		if err := j.counted(); err != nil {
			return err
		}

		j.tags = append(j.tags, Tag(n))
		if err := j.attribute(ds, Tag(n)); err != nil {
			return err
		}
		j.tags = j.tags[:len(j.tags)-1]
		key = ""
	}

	slices.SortStableFunc(ds.els, func(a, b Element) int { return cmp.Compare(a.Tag, b.Tag) })
	for i := 1; i < len(ds.els); i++ {
		if ds.els[i].Tag == ds.els[i-1].Tag {
			return j.fail("an attribute occurs twice")
		}
	}
	return nil
}

// counted counts one more attribute, value or item.
func (j *jsonReader) counted() error {
	if j.count++; j.count > j.limits.Elements {
		return j.failWith("more elements than allowed", ErrLimit)
	}
	return nil
}

// attribute reads {"vr": ..., "Value": [...]} (PS3.18 F.2.2).
func (j *jsonReader) attribute(ds *DataSet, t Tag) error {
	if err := j.delim('{'); err != nil {
		return err
	}

	a := jsonAttribute{tag: t}
	for {
		tok, err := j.token()
		if err != nil {
			return err
		}
		if tok == json.Delim('}') {
			break
		}
		if err := j.member(ds, &a, tok.(string)); err != nil {
			return err
		}
	}

	// The members come in any order: what the value means is known at the end.
	if a.vr == 0 {
		a.vr = VRFor(t)
	}
	el, err := j.build(ds, a)
	if err != nil {
		return err
	}

	if t.Group() == 0xFFFE || t.GroupLength() {
		return nil
	}
	el.v.home = ds
	ds.els = append(ds.els, el)
	return nil
}

// jsonAttribute is the content of the object of an attribute.
type jsonAttribute struct {
	tag    Tag
	vr     VR
	values []any // nil, string, json.Number, *DataSet or jsonName
	inline []byte
	uri    string
}

// jsonName is the component groups of a person name.
type jsonName [3]string

// emptyObject is {}: an item or a name without content.
type emptyObject struct{}

func (j *jsonReader) member(ds *DataSet, a *jsonAttribute, key string) error {
	switch key {
	case "Value":
		return j.array(ds, a)
	case "vr", "InlineBinary", "BulkDataURI":
	default:
		return j.skip()
	}

	t, err := j.token()
	if err != nil {
		return err
	}
	s, ok := t.(string)
	if !ok {
		return j.fail(key + " is not a string")
	}

	switch key {
	case "vr":
		if len(s) == 2 {
			a.vr = VR(s[0])<<8 | VR(s[1])
		}
		if !a.vr.Known() {
			return j.fail("vr is an unknown value representation")
		}
	case "InlineBinary":
		if a.inline, err = base64.StdEncoding.DecodeString(s); err != nil {
			return j.fail("InlineBinary is not in base 64")
		}
	case "BulkDataURI":
		a.uri = s
	}
	return nil
}

// skip steps over a value that means nothing to us.
func (j *jsonReader) skip() error {
	for depth := 0; ; {
		t, err := j.token()
		if err != nil {
			return err
		}

		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}

		if depth == 0 {
			return nil
		}
	}
}

func (j *jsonReader) array(ds *DataSet, a *jsonAttribute) error {
	if err := j.delim('['); err != nil {
		return err
	}
	for {
		t, err := j.token()
		if err != nil {
			return err
		}
		if t != json.Delim(']') {
			if err := j.counted(); err != nil {
				return err
			}
		}

		switch t := t.(type) {
		case nil, string, json.Number:
			a.values = append(a.values, t)
		case json.Delim:
			if t == ']' {
				return nil
			}
			if t != '{' {
				return j.fail("an array inside Value")
			}
			v, err := j.object(ds)
			if err != nil {
				return err
			}
			a.values = append(a.values, v)
		default:
			return j.fail("a truth value inside Value")
		}
	}
}

// object reads an item or a person name behind its opening brace.
func (j *jsonReader) object(ds *DataSet) (any, error) {
	t, err := j.token()
	if err != nil {
		return nil, err
	}
	if t == json.Delim('}') {
		return emptyObject{}, nil
	}

	key, _ := t.(string)
	if slices.Contains(pnGroups[:], key) {
		return j.name(key)
	}
	if len(j.tags) > j.limits.Depth {
		return nil, j.failWith("sequences nested deeper than allowed", ErrLimit)
	}

	item := ds.NewItem()
	return item, j.attributes(item, key)
}

func (j *jsonReader) name(key string) (any, error) {
	var n jsonName
	for {
		i := slices.Index(pnGroups[:], key)
		t, err := j.token()
		if err != nil {
			return nil, err
		}

		s, ok := t.(string)
		if i < 0 || !ok && t != nil || strings.ContainsAny(s, "=\\") && i < 2 {
			return nil, j.fail("a person name is not made of its three component groups")
		}

		n[i] = s
		if t, err = j.token(); err != nil {
			return nil, err
		}
		if t == json.Delim('}') {
			return n, nil
		}

		key, _ = t.(string)
	}
}
