package main

import (
	"fmt"
	"strings"

	"collimator/internal/api"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

type studiesCmd struct {
	dataFlags
	outputFlag
	Text      string   `arg:"" optional:"" help:"Words that name or description begin with, or the beginning of a Patient ID or an Accession Number."`
	Name      string   `help:"Words of the patient's name, by their beginning, in any order." placeholder:"WORDS"`
	PatientID string   `help:"Patient ID; * and ? stand for any characters." placeholder:"ID"`
	Accession string   `help:"Accession Number; * and ? stand for any characters." placeholder:"NUMBER"`
	Modality  []string `help:"One of these modalities." placeholder:"CT,MR"`
	Source    string   `help:"From where it came: an AE title, a person or a token." placeholder:"NAME"`
	Label     string   `help:"A label." placeholder:"LABEL"`
	Status    string   `help:"A status." placeholder:"STATUS"`
	Sort      string   `help:"date, received, name, patientID, accession, modality, instances, bytes or source; - before it means downwards." default:"-date"`
	Limit     int      `help:"How many." default:"50" bounds:"1 to 200"`
	Cursor    string   `help:"Where the page before ended, as it was printed." placeholder:"CURSOR"`
}

func (studiesCmd) Help() string {
	return `What the list of the console shows, of the whole archive. The search is recorded.

Examples:
  collimator studies 'muster ct'
  collimator studies --sort=-bytes --limit 10
  collimator studies --label Tumorboard -o json`
}

func (c *studiesCmd) Run(e *env) error {
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		page, err := a.List(e.ctx, archive.ListQuery{
			Sort: archive.StudySort(c.Sort), Limit: c.Limit, Cursor: archive.Cursor(c.Cursor), Scope: archive.Everything(),
			Filter: archive.StudyFilter{
				Text: c.Text, Name: c.Name, PatientID: c.PatientID, Accession: c.Accession, Modalities: c.Modality, Source: c.Source,
				Label: c.Label, Status: c.Status,
			},
		})
		if err != nil {
			return fault.Misuse(err)
		}
		if err := in.Note(e.ctx, audit.Query, audit.Execute, audit.Object{Query: "STUDY studies", Matches: len(page.Studies)}); err != nil {
			return err
		}

		var list []api.ListedStudy
		for i := range page.Studies {
			list = append(list, api.ShowStudy(&page.Studies[i]))
		}
		err = terminal.List(e.stdout, c.Output, list, "DATE|NAME|PATIENT|ACCESSION|MODALITIES|DESCRIPTION|IMAGES|SIZE|FROM|STUDY",
			studyRow, "No study is like that.")
		if err == nil && page.Next != "" {
			e.hint("more: --cursor " + string(page.Next))
		}
		return err
	})
}

func studyRow(x api.ListedStudy) []string {
	return []string{x.StudyDate, shown.Text(x.PatientName.Alphabetic), shown.Text(x.PatientID), shown.Text(x.AccessionNumber),
		shown.Text(strings.Join(x.Modalities, ",")), shown.Text(x.StudyDescription), fmt.Sprint(x.InstanceCount), terminal.Size(x.Bytes),
		shown.Text(strings.Join(x.Sources, ",")), x.StudyInstanceUID}
}
