package index

import (
	"testing"

	"collimator/internal/db"
)

// What a device stored is that of its studies, and nothing of others.
func TestTheVolumeOfASourceIsThatOfItsStudies(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	for i, from := range []string{"CT2", "CT2", "MR1"} {
		e := said{study: i + 1, series: 1, instance: 1, patientID: "1"}.entry(t)
		e.Source = Source{AETitle: from}
		err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := Insert(t.Context(), tx, e); return err })
		if err != nil {
			t.Fatal(err)
		}
	}

	s := searchOf(d)
	for source, studies := range map[string]int64{"CT2": 2, "MR1": 1, "US1": 0} {
		v, err := s.Volume(t.Context(), source)
		if err != nil || v.Studies != studies || v.Instances != studies || v.AtLeast || v.Last.IsZero() != (studies == 0) {
			t.Errorf("%s: %+v, %v", source, v, err)
		}
	}
}
