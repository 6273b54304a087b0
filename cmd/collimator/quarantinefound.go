package main

import (
	"context"
	"errors"
	"fmt"

	"collimator/dicom"
	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/inspect"
)

// sentBy is who sent what is held back: the AE title of a device, else the person
// or the token.
func sentBy(s archive.Source) string {
	if s.AETitle != "" {
		return s.AETitle
	}
	return s.Principal
}

// findings says what the inspection finds in a file that is held back as
// suspicious: what and where, and the setting by which it is judged.
func findings(ctx context.Context, a *archive.Archive, q archive.QuarantineEntry, c config.Inspect) ([]string, error) {
	if q.Reason != archive.Suspicious {
		return nil, nil
	}
	o, err := a.OpenQuarantined(ctx, q.ID)
	if err != nil {
		return nil, err
	}
	f, err := dicom.OpenFile(o, o.Size(), dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	found, err := inspect.LookAt(ctx, f.DataSet, inspect.Limits{})
	if err = errors.Join(err, o.Close()); err != nil {
		return nil, err
	}

	var list []string
	for _, one := range found {
		list = append(list, fmt.Sprintf("%s; rule inspect.%s: %s", one, inspect.Rule(one), ruleWord(c, inspect.Rule(one))))
	}
	if len(list) == 0 {
		list = append(list, "nothing in the file itself: it was its preamble, or the virus scanner; see 'collimator audit tail'")
	}
	return list, nil
}

// ruleWord is what a setting of the inspection says.
func ruleWord(c config.Inspect, rule string) string {
	switch rule {
	case "programs":
		return c.Programs
	case "active_documents":
		return c.ActiveDocuments
	case "sealed_documents":
		return c.SealedDocuments
	case "containers":
		return c.Containers
	}
	return c.Preambles
}
