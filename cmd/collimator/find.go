package main

import (
	"collimator/internal/dump"
	"collimator/internal/fetch"
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
	q := fetch.Query{Level: c.Level, Keys: c.Keys, Patient: c.Root == "patient", Limit: c.Limit, Relational: c.Relational, Fuzzy: c.Fuzzy}
	keys, err := q.Identifier()
	if err != nil {
		return err
	}

	d, err := c.peer()
	if err != nil {
		return err
	}

	out := &dump.Matches{W: e.stdout, Form: c.Output, Keys: keys, Level: c.Level}
	if err := q.Run(e.ctx, d, keys, out.Add); err != nil {
		return err
	}
	return out.End()
}
