package main

import (
	"log/slog"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/inspect"
)

// inspection makes the archive's hook of the settings.
func inspection(c config.Inspect, log *slog.Logger) (func(*dicom.DataSet) archive.Inspection, error) {
	var p inspect.Policy
	for _, s := range []struct {
		word string
		to   **inspect.Verdict
	}{{c.Programs, &p.Programs}, {c.ActiveDocuments, &p.ActiveDocuments}, {c.SealedDocuments, &p.SealedDocuments}, {c.Containers, &p.Containers}} {
		v, err := inspect.ParseVerdict(s.word)
		if err != nil {
			return nil, usageError("inspect: %w", err)
		}
		*s.to = &v
	}
	return func(ds *dicom.DataSet) archive.Inspection {
		found := inspect.LookAt(ds, inspect.Limits{})
		if len(found) == 0 {
			return archive.Inspection{}
		}
		verdict := p.Judge(found)
		for _, f := range found {
			log.Warn("inspection", "found", f.String(), "sopClass", uid.Name(ds.Text(tag.SOPClassUID)), "verdict", verdict.String())
		}
		return archive.Inspection{Hold: verdict == inspect.Hold, Refuse: verdict == inspect.Refuse}
	}, nil
}
