package api

import (
	"collimator/internal/mark"
	"collimator/internal/webapi"
)

const cursorWords = "Where another page is: \"next\" or \"previous\" of an answer."

func (s *Services) describeStudies(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/studies": webapi.Does("List the studies that one may see").Gives(studyList{}).
			With("name", "Words of the patient's name, by their beginning, in any order, without regard to case and accents").
			With("patientID", "A Patient ID; * and ? stand for any characters").
			With("accession", "An Accession Number; * and ? stand for any characters").
			With("q", "Words that name or description begin with, or the beginning of a Patient ID or an Accession Number").
			With("from", "A day: the first of the study date").
			With("to", "A day: the last of the study date").
			With("modality", "A modality; several with commas mean one of them").
			With("source", "From where it came: an AE title, else the name of a person or a token").
			With("receivedFrom", "A day or a time: the first instance came not before").
			With("receivedTo", "A day or a time: the first instance came not after").
			With("label", "A label").With("status", "A status").
			With("description", "Words of the description, by their beginning").
			With("sort", "date, received, name, patientID, accession, modality, instances, bytes or source; - before it means downwards").
			With("cursor", cursorWords),
		"GET /api/v1/studies/{uid}": webapi.Does("Show a study with its series and the other studies of its patient").Gives(studyPage{}),
		"GET /api/v1/studies/{uid}/instances": webapi.Does("List the instances of a study").Gives(imageList{}).
			With("series", "A Series Instance UID").With("cursor", cursorWords),
		"GET /api/v1/studies/{uid}/proof": webapi.Does("Prove that instances of a study stand in the ledger").Gives(proofList{}).
			With("instance", "A SOP Instance UID: of this one alone").With("cursor", cursorWords),
		"GET /api/v1/studies/{uid}/accesses": webapi.Does("List who saw a study, the oldest first").Gives(webapi.List[access]{}),
		"GET /api/v1/patients/accesses": webapi.Does("List who saw studies of a patient, the oldest first").Gives(webapi.List[access]{}).
			With("patientID", "The Patient ID").With("issuer", "Its issuer: records that name another are left out"),
		"DELETE /api/v1/studies/{uid}": webapi.Does("Delete a study").Gives(deletedStudy{}).Takes(because{}),
		"PUT /api/v1/studies/{uid}/labels": webapi.Does("Say labels, a status and a note of a study, in place of what was said").
			Takes(mark.Mark{}).Gives(ListedStudy{}),
		"POST /api/v1/studies/{uid}/open": webapi.Does("Make a token that reads one study for ten minutes, for a viewer on the desktop").
			Gives(openedStudy{}),
	})
}
