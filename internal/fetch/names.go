package fetch

import (
	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/fault"
)

// Names say what to retrieve by unique keys. Series need one study, instances one
// study and one series.
type Names struct {
	Study    []string // Study Instance UIDs, one at least
	Series   []string // Series Instance UIDs
	Instance []string // SOP Instance UIDs
}

// Identifier makes the identifier of C-GET and C-MOVE in the study root (PS3.4 C.4.2.1.4).
// Names that do not go together are fault.Misused.
func (n Names) Identifier() (*dicom.DataSet, error) {
	level := "STUDY"
	lists := [][]string{n.Study}
	switch {
	case len(n.Study) == 0:
		return nil, fault.Usage("say which study with --study UID; 'collimator find' lists them")
	case len(n.Instance) > 0:
		if len(n.Series) != 1 || len(n.Study) != 1 {
			return nil, fault.Usage("--instance needs one --study and one --series")
		}
		level = "IMAGE"
		lists = [][]string{n.Study, n.Series, n.Instance}
	case len(n.Series) > 0:
		if len(n.Study) != 1 {
			return nil, fault.Usage("--series needs one --study")
		}
		level = "SERIES"
		lists = [][]string{n.Study, n.Series}
	}

	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.QueryRetrieveLevel, level); err != nil {
		return nil, err
	}

	for i, t := range []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID}[:len(lists)] {
		for _, u := range lists[i] {
			if !uid.Tolerable(u) {
				return nil, fault.Usage("%q is a malformed UID", u)
			}
		}

		if err := ds.SetText(t, lists[i]...); err != nil {
			return nil, err
		}
	}
	return ds, nil
}
