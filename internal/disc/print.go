package disc

import (
	"fmt"
	"io"
	"strconv"

	"collimator/internal/phrase"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// shownProblems is how many problems are printed for people.
const shownProblems = 50

// print lists problems, a line each.
func (p problems) print(w io.Writer) error {
	for _, x := range p.List[:min(len(p.List), shownProblems)] {
		fmt.Fprintf(w, "%s: ", x.Kind)
		if x.Record != nil {
			fmt.Fprintf(w, "record at byte %d: ", *x.Record)
		}
		if x.File != "" {
			fmt.Fprintf(w, "%s: ", shown.Text(x.File))
		}
		if x.Tag != "" {
			fmt.Fprintf(w, "%s ", x.Tag)
		}
		fmt.Fprintln(w, x.Reason)
	}

	if more := p.All - min(len(p.List), shownProblems); more > 0 {
		fmt.Fprintf(w, "... and %d more; -o json lists more of them\n", more)
	}
	return nil
}

// Print prints a listing as a table.
func (l *Listing) Print(w io.Writer, reveal bool) error {
	header := "PATIENT|STUDY|SERIES|WHAT|OBJECTS|MISSING"
	if reveal {
		header += "|NAME|ID|DATE|DESCRIPTION"
	}
	row := func(r *Row) []string {
		cells := []string{
			numberText(r.Patient), numberText(r.Study), numberText(r.Series), r.What, strconv.Itoa(r.Objects), strconv.Itoa(r.Missing),
		}
		if reveal {
			cells = append(cells, terminal.Dash(r.Name), terminal.Dash(r.ID), terminal.Dash(r.StudyDate), terminal.Dash(r.StudyDescription))
		}
		return cells
	}
	if err := terminal.List(w, "table", l.Series, header, row, "There is no DICOM object."); err != nil {
		return err
	}

	if !l.Directory {
		fmt.Fprintf(w, "%s found by looking at every file; %s not DICOM.\n",
			phrase.Count(l.Objects, "object was", "objects were"), phrase.Count(l.NotDICOM, "file is", "files are"))
	}
	return l.print(w)
}

// numberText is a number, and a dash for none.
func numberText(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// Print says what a check found.
func (c *Checked) Print(w io.Writer) error {
	if err := c.print(w); err != nil {
		return err
	}

	sound := "nothing is wrong"
	if c.All > 0 {
		sound = phrase.Count(c.All, "problem", "problems")
	}
	_, err := fmt.Fprintf(w, "%s, %s, %d missing, %d not in the directory: %s.\n",
		phrase.Count(c.Records, "record", "records"), phrase.Count(c.Objects, "object", "objects"), c.Missing, c.Unlisted, sound)
	return err
}

// Print says what was made.
func (m *Made) Print(w io.Writer, dir string) error {
	for _, l := range m.LeftOut {
		fmt.Fprintf(w, "left out: %s: %s\n", shown.Text(l.File), l.Reason)
	}
	if m.Records == 0 {
		return nil
	}

	fmt.Fprintf(w, "Wrote %s (%s) to %s, with a DICOMDIR of %s; %d left out, %d not DICOM.\n",
		phrase.Count(m.Objects, "object", "objects"), terminal.Size(m.Bytes), shown.Text(dir),
		phrase.Count(m.Records, "record", "records"), len(m.LeftOut), m.NotDICOM)
	if m.MadeKeys > 0 {
		fmt.Fprintf(w, "Of what the directory has to say %s in no object and made.\n", phrase.Count(m.MadeKeys, "key was", "keys were"))
	}

	profile := "The transfer syntaxes are those of " + m.Profile + " (PS3.11)."
	if m.Profile == "" {
		profile = "No General Purpose Profile of PS3.11 has all these transfer syntaxes; a reader may not take every object."
	}
	_, err := fmt.Fprintln(w, profile)
	return err
}
