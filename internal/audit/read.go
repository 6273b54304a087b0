package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"collimator/internal/shown"
)

// Newest are the last n records that match. Others stand between them, so the start is found by
// going back from the last of all until there are enough.
func (t *Trail) Newest(ctx context.Context, last, n int64, f Filter) ([]Record, error) {
	for back := n * 2; ; back *= 4 { // wider until there are enough, or none are left
		var list []Record
		for r, err := range t.After(ctx, last-back) {
			if err != nil {
				return nil, err
			}
			if f.Matches(r) {
				list = append(list, r)
			}
		}

		if int64(len(list)) >= n || back > last {
			return list[max(int64(len(list))-n, 0):], nil
		}
	}
}

// followEvery is how often Follow looks for new records.
const followEvery = 500 * time.Millisecond

// Follow gives show the records behind one, and those that come, until ctx ends. show
// is called with none, too.
func (t *Trail) Follow(ctx context.Context, last int64, show func(more []Record) error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}

		var more []Record
		for r, err := range t.After(ctx, last) {
			if err != nil {
				return err
			}
			more = append(more, r)
			last = r.Sequence
		}
		if err := show(more); err != nil {
			return err
		}
	}
}

// WriteAs writes a record on one line: as json, as dicom (PS3.15 A.5) or as fhir (an
// AuditEvent of R4). source is the AE title of the archive.
func (r Record) WriteAs(w io.Writer, form, source string) error {
	if form == "json" {
		return json.NewEncoder(shown.NewJSON(w)).Encode(r)
	}

	if form == "fhir" {
		b, err := FHIR(r, source)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(shown.NewJSON(w), "%s\n", b)
		return err
	}

	text, err := NewMessage(r, source).XML()
	if err != nil {
		return err
	}

	_, err = fmt.Fprintln(w, text)
	return err
}

// Search lists the records that match, in their order. Where a patient is asked for,
// stored are the studies that the index has of the patient; older records and those of
// links name the study alone.
func (t *Trail) Search(ctx context.Context, f Filter, stored []string) (found []Record, err error) {
	if f.Patient != "" {
		if f.Studies, err = t.studiesOf(ctx, f.Patient, stored); err != nil {
			return nil, err
		}
	}

	for r, err := range t.After(ctx, -1) {
		if err != nil {
			return nil, err
		}
		if f.Matches(r) {
			found = append(found, r)
		}
	}
	return found, nil
}

// studiesOf are studies that are stored, and those of which a record says that they
// were the patient's.
func (t *Trail) studiesOf(ctx context.Context, patient string, stored []string) (map[string]bool, error) {
	studies := Set(stored)
	for r, err := range t.After(ctx, -1) {
		if err != nil {
			return nil, err
		}
		for _, o := range r.Objects {
			if o.Patient == patient && o.Study != "" {
				studies[o.Study] = true
			}
		}
	}
	return studies, nil
}
