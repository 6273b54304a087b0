package dicomweb

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// What a search returns unasked (PS3.18 10.6.3.3).
var (
	studyKeys = []dicom.Tag{tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.InstanceAvailability, tag.ModalitiesInStudy,
		tag.ReferringPhysicianName, tag.TimezoneOffsetFromUTC, tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex,
		tag.StudyInstanceUID, tag.StudyID, tag.StudyDescription, tag.NumberOfStudyRelatedSeries, tag.NumberOfStudyRelatedInstances}
	seriesKeys = []dicom.Tag{tag.Modality, tag.TimezoneOffsetFromUTC, tag.SeriesDescription, tag.SeriesInstanceUID, tag.SeriesNumber,
		tag.NumberOfSeriesRelatedInstances, tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime,
		tag.RequestAttributesSequence}
	instanceKeys = []dicom.Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.InstanceAvailability, tag.TimezoneOffsetFromUTC,
		tag.InstanceNumber, tag.Rows, tag.Columns, tag.BitsAllocated, tag.NumberOfFrames, tag.AvailableTransferSyntaxUID}
)

// queryReader turns the parameters of a search into keys (PS3.18 8.3.4).
type queryReader struct {
	h      *Handler
	call   *Call
	q      *Search
	seen   map[string]bool
	fields int
}

// parseQuery reads the parameters of a search, in the order of their names, and adds
// the UIDs of the path. A malformed one is answered with 400.
func (h *Handler) parseQuery(call *Call, raw string) (*Search, error) {
	p := &queryReader{
		h:    h,
		call: call,
		q:    &Search{Level: call.Level, Keys: dicom.NewDataSet(), Limit: h.limits.Matches},
		seen: map[string]bool{},
	}
	if err := p.q.Keys.SetCharacterSet("ISO_IR 192"); err != nil {
		return nil, err
	}
	p.defaults(call)

	values, err := parameters(raw)
	if err != nil {
		return nil, err
	}
	if len(values) > h.limits.Keys {
		return nil, problemf(http.StatusBadRequest, "The query has more than %d parameters.", h.limits.Keys)
	}

	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names) // the first complaint is always the same
	for _, name := range names {
		if err := p.parameter(name, values[name]); err != nil {
			return nil, err
		}
	}

	for t, v := range map[dicom.Tag]string{tag.StudyInstanceUID: call.StudyUID, tag.SeriesInstanceUID: call.SeriesUID} {
		if v == "" {
			continue
		}
		if err := p.q.Keys.SetText(t, v); err != nil {
			return nil, err
		}
	}
	return p.q, nil
}

// defaults are the attributes of the level, and of those above that the path
// does not name.
func (p *queryReader) defaults(call *Call) {
	if call.StudyUID == "" {
		p.add(studyKeys)
	}
	if call.Level >= SeriesLevel && call.SeriesUID == "" {
		p.add(seriesKeys)
	}
	if call.Level == InstanceLevel {
		p.add(instanceKeys)
	}

	p.add([]dicom.Tag{tag.StudyInstanceUID})
	if call.Level >= SeriesLevel {
		p.add([]dicom.Tag{tag.SeriesInstanceUID})
	}
}

func (p *queryReader) add(tags []dicom.Tag) {
	for _, t := range tags {
		if !p.q.Keys.Has(t) {
			p.q.Keys.Set(emptyKey(t))
		}
	}
}

func emptyKey(t dicom.Tag) dicom.Element {
	if dicom.VRFor(t) == dicom.SQ {
		return dicom.NewSequence(t)
	}
	return dicom.NewElement(t, dicom.VRFor(t), nil)
}

// parameter reads one parameter with all its values; any name that the service does
// not use itself is a key.
func (p *queryReader) parameter(name string, values []string) error {
	switch name {
	case "includefield":
		return p.includeFields(values)
	case "accept", "charset":
		return nil
	}

	if _, ok := p.switches()[name]; !ok && name != "limit" && name != "offset" {
		return p.key(name, values)
	}
	if len(values) > 1 {
		return problemf(http.StatusBadRequest, "The parameter %s is there more than once.", name)
	}

	if to, ok := p.switches()[name]; ok {
		v, err := strconv.ParseBool(values[0])
		if err != nil {
			return problemf(http.StatusBadRequest, "The parameter %s is true or false.", name)
		}
		*to = v
		return nil
	}

	n, err := strconv.Atoi(values[0])
	if err != nil || n < 0 {
		return problemf(http.StatusBadRequest, "The parameter %s is a number from 0 on.", name)
	}
	if name == "offset" {
		p.q.Offset = n
	} else {
		p.q.Limit = min(n, p.h.limits.Matches)
	}
	return nil
}

// switches are the parameters that are true or false. Several values of a key
// match each anyway.
func (p *queryReader) switches() map[string]*bool {
	return map[string]*bool{"fuzzymatching": &p.q.Fuzzy, "multiplevaluematching": new(bool)}
}

// includeFields reads includefield: attributes, several joined by commas, or
// "all".
func (p *queryReader) includeFields(values []string) error {
	for _, v := range values {
		for _, field := range strings.Split(v, ",") {
			if field = strings.TrimSpace(field); field == "" {
				continue
			}
			if field == "all" {
				p.q.All = true
				continue
			}

			if p.fields++; p.fields > p.h.limits.Keys {
				return problemf(http.StatusBadRequest, "The query asks for more than %d fields. Use includefield=all.", p.h.limits.Keys)
			}

			path, err := parsePath(field)
			if errors.Is(err, errUnknownParameter) {
				p.call.ignore(field)
				continue
			}
			if err != nil {
				return err
			}

			if err := p.set(p.q.Keys, path, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// key reads an attribute, or a path of attributes, with the values to match. An
// unknown one is ignored and named in the answer; the same one under two names is
// refused.
func (p *queryReader) key(name string, values []string) error {
	path, err := parsePath(name)
	if errors.Is(err, errUnknownParameter) {
		p.call.ignore(name)
		return nil
	}
	if err != nil {
		return err
	}

	t := path[len(path)-1]
	if p.seen[pathName(path)] {
		return problemf(http.StatusBadRequest, "The attribute %s is there under two names. Use one.", attribute(t))
	}
	p.seen[pathName(path)] = true

	list, err := keyValues(t, values)
	if err != nil {
		return err
	}
	return p.set(p.q.Keys, path, list)
}

// keyValues splits the values of a key. UIDs and codes come as lists with
// commas or backslashes, or repeated (PS3.18 8.3.4.1, PS3.4 C.2.2.2.2); in text
// a comma is text.
func keyValues(t dicom.Tag, values []string) ([]string, error) {
	vr := dicom.VRFor(t)
	separators := `\`
	switch vr {
	case dicom.UI, dicom.CS:
		separators = `\,`
	case dicom.LT, dicom.ST, dicom.UT, dicom.UR:
		separators = ""
	}

	if len(values) > 1 && vr != dicom.UI && vr != dicom.CS {
		return nil, problemf(http.StatusBadRequest, "The attribute %s is there more than once.", attribute(t))
	}

	out := []string{}
	for _, v := range values {
		for _, s := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// set puts a key into a data set, in an item for each step of its path.
func (p *queryReader) set(ds *dicom.DataSet, path []dicom.Tag, values []string) error {
	t := path[0]
	if len(path) > 1 {
		items := ds.Items(t)
		if len(items) == 0 {
			ds.SetItems(t, ds.NewItem())
			items = ds.Items(t)
		}
		return p.set(items[0], path[1:], values)
	}

	if len(values) == 0 {
		if !ds.Has(t) {
			ds.Set(emptyKey(t))
		}
		return nil
	}

	if err := setValues(ds, t, values); err != nil {
		return problemf(http.StatusBadRequest, "The value of %s is not of its kind (%s).", attribute(t), dicom.VRFor(t))
	}
	return nil
}

func setValues(ds *dicom.DataSet, t dicom.Tag, values []string) error {
	switch vr := dicom.VRFor(t); vr {
	case dicom.US, dicom.SS, dicom.UL, dicom.SL, dicom.UV, dicom.SV, dicom.AT:
		numbers := make([]int64, len(values))
		for i, v := range values {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return dicom.ErrValue
			}
			numbers[i] = n
		}
		return ds.SetInt(t, numbers...)
	case dicom.FL, dicom.FD:
		numbers := make([]float64, len(values))
		for i, v := range values {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return dicom.ErrValue
			}
			numbers[i] = n
		}
		return ds.SetFloat(t, numbers...)
	case dicom.SQ, dicom.OB, dicom.OW, dicom.OF, dicom.OD, dicom.OL, dicom.OV, dicom.UN:
		return dicom.ErrValue
	}
	return ds.SetText(t, values...)
}

// maxPath is how many sequences a key may be inside of.
const maxPath = 8

// parsePath reads an attribute: a keyword or eight hexadecimal digits, with the
// sequences around it in front, joined by dots (PS3.18 8.3.4.1).
func parsePath(s string) ([]dicom.Tag, error) {
	steps := strings.Split(s, ".")
	if len(steps) > maxPath {
		return nil, problemf(http.StatusBadRequest, "An attribute is inside more than %d sequences.", maxPath)
	}

	path := make([]dicom.Tag, len(steps))
	for i, step := range steps {
		t, ok := parseAttribute(step)
		if !ok {
			return nil, errUnknownParameter
		}
		if path[i] = t; i < len(steps)-1 && dicom.VRFor(t) != dicom.SQ {
			return nil, problemf(http.StatusBadRequest, "The attribute %s is not a sequence and cannot hold others.", attribute(t))
		}
	}
	return path, nil
}

func parseAttribute(s string) (dicom.Tag, bool) {
	if len(s) == 8 {
		if n, err := strconv.ParseUint(s, 16, 32); err == nil {
			t := dicom.Tag(n)
			return t, t.Group() >= 8 && !t.GroupLength()
		}
	}
	e, ok := tag.ByKeyword(s)
	return e.Tag, ok && e.Tag.Group() >= 8
}

// errUnknownParameter is a parameter that names no known attribute. The server ignores it
// (PS3.18 8.3.4).
var errUnknownParameter = errors.New("dicomweb: parameter is not known")

// attribute names an attribute by its keyword, or its tag.
func attribute(t dicom.Tag) string {
	if k := t.Keyword(); k != "" {
		return k
	}
	return t.Hex()
}

func pathName(path []dicom.Tag) string {
	var b strings.Builder
	for _, t := range path {
		b.WriteString(t.Hex())
	}
	return b.String()
}
