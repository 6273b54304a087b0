package dump

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Matches prints the matches of a query as they come: as JSON one array of the
// DICOM JSON model, as uids the unique key of the level, else as a table at the end.
type Matches struct {
	W     io.Writer
	Form  string         // json, uids or table
	Level string         // patient, study, series or image
	Keys  *dicom.DataSet // what was asked for: the columns of the table

	count int
	rows  [][]string
}

// Add takes a match. JSON and UIDs are printed at once, a row of the table with End.
func (o *Matches) Add(ds *dicom.DataSet) error {
	o.count++
	switch o.Form {
	case "json":
		b, err := dicom.MarshalJSON(ds, dicom.JSONOptions{})
		if err != nil {
			return err
		}

		open := ",\n"
		if o.count == 1 {
			open = "[\n"
		}

		_, err = fmt.Fprintf(shown.NewJSON(o.W), "%s%s", open, b)
		return err
	case "uids":
		t := map[string]dicom.Tag{
			"patient": tag.PatientID, "study": tag.StudyInstanceUID, "series": tag.SeriesInstanceUID, "image": tag.SOPInstanceUID,
		}[o.Level]
		_, err := fmt.Fprintln(o.W, shown.Text(ds.Text(t)))
		return err
	}

	var row []string
	for _, t := range o.columns() {
		row = append(row, terminal.Dash(strings.Join(ds.Texts(t), `\`)))
	}

	o.rows = append(o.rows, row)
	return nil
}

func (o *Matches) columns() []dicom.Tag {
	var list []dicom.Tag
	for el := range o.Keys.All() {
		if el.Tag != tag.SpecificCharacterSet && el.Tag != tag.QueryRetrieveLevel {
			list = append(list, el.Tag)
		}
	}
	return list
}

// End prints what is left to print when no more matches come.
func (o *Matches) End() error {
	switch o.Form {
	case "json":
		if o.count == 0 {
			return json.NewEncoder(o.W).Encode([]any{})
		}
		_, err := fmt.Fprint(o.W, "\n]\n")
		return err
	case "uids":
		return nil
	}

	var header []string
	for _, t := range o.columns() {
		header = append(header, t.Keyword())
	}

	all := func(r []string) []string { return r }
	return terminal.List(o.W, "table", o.rows, strings.Join(header, "|"), all, "Nothing matches.")
}
