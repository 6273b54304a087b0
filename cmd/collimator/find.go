package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/shown"
)

type findCmd struct {
	connectFlags
	Keys       []string `arg:"" optional:"" help:"What to look for, as Keyword=value; Keyword alone asks for its value."`
	Level      string   `help:"patient, study, series or image." enum:"patient,study,series,image" default:"study"`
	Root       string   `help:"Information model: study or patient." enum:"study,patient" default:"study"`
	Limit      int      `help:"Stop after so many matches; 0 for all." default:"0" bounds:"0 to 1000000000"`
	Relational bool     `help:"Ask for relational queries: keys of the levels above may be left out."`
	Fuzzy      bool     `help:"Ask for fuzzy matching of names."`
	Output     string   `short:"o" help:"table, json (DICOM JSON model) or uids." enum:"table,json,uids" default:"table"`
}

func (findCmd) Help() string {
	return `Matching is the standard's: * and ? in text, ranges as 20240101-20241231, lists of UIDs joined
with backslash.

Examples:
  collimator find COLLIMATOR@127.0.0.1:2762 --as ./ws1 'PatientName=MUSTER*' ModalitiesInStudy=CT
  collimator find COLLIMATOR@127.0.0.1:2762 --as ./ws1 --level series StudyInstanceUID=1.2.3 -o json`
}

func (c *findCmd) Run(e *env) error {
	keys, err := c.identifier()
	if err != nil {
		return err
	}
	d, err := c.dialer()
	if err != nil {
		return err
	}
	out := &findOutput{w: e.stdout, form: c.Output, keys: keys, level: c.Level}
	if err := c.query(e, d, keys, out.match); err != nil {
		return err
	}
	return out.end()
}

// query runs one C-FIND and gives each match to yield.
func (c *findCmd) query(e *env, d *dialer, keys *dicom.DataSet, yield func(*dicom.DataSet) error) error {
	model := uid.StudyRootFind
	if c.Root == "patient" {
		model = uid.PatientRootFind
	}

	a, err := d.dial(e.ctx, dimse.Propose([]string{model}, []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}, false), func(cfg *dimse.Config) {
		opts := dimse.QueryOptions{Relational: c.Relational, FuzzyMatching: c.Fuzzy}
		if c.Relational || c.Fuzzy {
			cfg.Extended = []ul.ExtendedNegotiation{{SOPClassUID: model, Info: opts.Bytes(3)}}
		}
	})
	if err != nil {
		return err
	}

	if granted := a.QueryOptions(model); c.Relational && !granted.Relational || c.Fuzzy && !granted.FuzzyMatching {
		a.Abort()
		return fmt.Errorf("%s does not grant the relational or fuzzy queries that were asked for", d.address)
	}

	n := 0
	for m, err := range a.Find(e.ctx, dimse.FindRequest{SOPClassUID: model, Identifier: keys}) {
		if err != nil {
			a.Abort()
			return d.explain(err)
		}
		if err := yield(m.Identifier); err != nil {
			a.Abort()
			return err
		}
		if n++; n == c.Limit {
			break
		}
	}
	return d.explain(a.Release(e.ctx))
}

// returned are the keys asked for when none is named, by level.
func returned(level string) []dicom.Tag {
	switch level {
	case "patient":
		return []dicom.Tag{tag.PatientID, tag.PatientName, tag.PatientBirthDate, tag.PatientSex}
	case "series":
		return []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.Modality, tag.SeriesNumber, tag.SeriesDescription, tag.NumberOfSeriesRelatedInstances}
	case "image":
		return []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID, tag.SOPClassUID, tag.InstanceNumber}
	}
	return []dicom.Tag{tag.StudyDate, tag.PatientID, tag.PatientName, tag.ModalitiesInStudy, tag.StudyDescription, tag.NumberOfStudyRelatedInstances, tag.StudyInstanceUID}
}

// identifier makes the C-FIND identifier of the arguments (PS3.4 C.4.1.1.3).
func (c *findCmd) identifier() (*dicom.DataSet, error) {
	ds := dicom.NewDataSet()
	if err := ds.SetCharacterSet("ISO_IR 192"); err != nil {
		return nil, err
	}
	if err := ds.SetText(tag.QueryRetrieveLevel, strings.ToUpper(c.Level)); err != nil {
		return nil, err
	}

	for _, t := range returned(c.Level) {
		if err := ds.SetText(t); err != nil {
			return nil, err
		}
	}

	for _, k := range c.Keys {
		name, value, _ := strings.Cut(k, "=")
		t, err := tag.Parse(name)
		if err != nil {
			return nil, usageError("key %q: no such element; write a keyword of PS3.6 or eight hex digits", name)
		}
		values := []string{}
		if value != "" {
			values = strings.Split(value, `\`)
		}
		if err := ds.SetText(t, values...); err != nil {
			return nil, usageError("key %s: the value does not fit its VR", t.Keyword())
		}
	}
	return ds, nil
}

// findOutput prints matches as they come, JSON as one array.
type findOutput struct {
	w     io.Writer
	form  string
	level string
	keys  *dicom.DataSet
	count int
	rows  [][]string
}

func (o *findOutput) match(ds *dicom.DataSet) error {
	o.count++
	switch o.form {
	case "json":
		b, err := dicom.MarshalJSON(ds, dicom.JSONOptions{})
		if err != nil {
			return err
		}
		open := ",\n"
		if o.count == 1 {
			open = "[\n"
		}
		_, err = fmt.Fprintf(shown.NewJSON(o.w), "%s%s", open, b)
		return err
	case "uids":
		t := map[string]dicom.Tag{"patient": tag.PatientID, "study": tag.StudyInstanceUID, "series": tag.SeriesInstanceUID, "image": tag.SOPInstanceUID}[o.level]
		_, err := fmt.Fprintln(o.w, shown.Text(ds.Text(t)))
		return err
	}
	var row []string
	for _, t := range o.columns() {
		row = append(row, dash(strings.Join(ds.Texts(t), `\`)))
	}
	o.rows = append(o.rows, row)
	return nil
}

func (o *findOutput) columns() []dicom.Tag {
	var list []dicom.Tag
	for el := range o.keys.All() {
		if el.Tag != tag.SpecificCharacterSet && el.Tag != tag.QueryRetrieveLevel {
			list = append(list, el.Tag)
		}
	}
	return list
}

func (o *findOutput) end() error {
	switch o.form {
	case "json":
		if o.count == 0 {
			return json.NewEncoder(o.w).Encode([]any{})
		}
		_, err := fmt.Fprint(o.w, "\n]\n")
		return err
	case "uids":
		return nil
	}
	var header []string
	for _, t := range o.columns() {
		header = append(header, t.Keyword())
	}
	return printList(o.w, "table", o.rows, strings.Join(header, "|"), func(r []string) []string { return r }, "Nothing matches.")
}
