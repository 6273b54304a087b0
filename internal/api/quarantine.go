package api

import (
	"collimator/internal/archive"
	"collimator/internal/webapi"
)

// held is an entry of the quarantine without what it says of a patient.
type held struct {
	ID       int64  `json:"id"`
	Reason   string `json:"reason"`
	SOPClass string `json:"sopClassUID"`
	Instance string `json:"sopInstanceUID"`
	Study    string `json:"studyInstanceUID"`
	Digest   string `json:"sha256"`
	Stored   string `json:"storedSHA256,omitempty"` // of what is stored under the UID
	Size     int64  `json:"size"`
	From     string `json:"from"` // AE title
	By       string `json:"by"`   // as whom it was let in: a device, a person, a token
	Address  string `json:"address"`
	Received string `json:"received"`
	Last     string `json:"lastReceived"`
	Times    int64  `json:"times"`
}

// quarantine gives a page of what is held back, the newest first; "after" is
// the number of the last entry one has.
func (s *Services) quarantine(rq *webapi.Request) (any, error) {
	before, err := rq.Number("after", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}

	limit, err := rq.Number("limit", 100, 1, pageMost)
	if err != nil {
		return nil, err
	}

	entries, err := s.Archive.Quarantine(rq.Context(), before, int(limit))
	if err != nil {
		return nil, err
	}

	out := webapi.NewList[held](nil)
	for _, q := range entries {
		out.Items = append(out.Items, describe(q))
	}

	if int64(len(entries)) == limit {
		out.Next = &out.Items[len(out.Items)-1].ID
	}
	return out, nil
}

const second = "2006-01-02T15:04:05Z07:00"

func describe(q archive.QuarantineEntry) held {
	return held{
		ID:       q.ID,
		Reason:   string(q.Reason),
		SOPClass: q.Instance.SOPClassUID,
		Instance: q.Instance.SOPInstanceUID,
		Study:    q.Instance.StudyUID,
		Digest:   string(q.Instance.Digest),
		Stored:   q.StoredDigest,
		Size:     q.Instance.Size,
		From:     q.Source.AETitle,
		By:       q.Source.Principal,
		Address:  q.Source.Address,
		Received: q.Received.Format(second),
		Last:     q.LastReceived.Format(second),
		Times:    int64(q.Times),
	}
}
