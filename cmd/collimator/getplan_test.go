package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fetch"
	"collimator/internal/sender"
)

// manyClassArchive holds one object of each of several SOP Classes, all in a
// transfer syntax that cannot be converted, and sends each only where exactly
// that syntax was accepted for it.
type manyClassArchive struct {
	studies map[string][]*sender.File // by Study Instance UID
}

// find answers at the levels that get asks for.
func (m *manyClassArchive) find(_ context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
	study := rq.Identifier.Text(tag.StudyInstanceUID)
	for i, f := range m.studies[study] {
		ds := dicom.NewDataSet()
		series := fmt.Sprintf("%s.%d", study, i+1)
		switch rq.Identifier.Text(tag.QueryRetrieveLevel) {
		case "STUDY":
			ds.SetText(tag.SOPClassesInStudy, f.SOPClassUID)
		case "SERIES":
			ds.SetText(tag.SeriesInstanceUID, series)
		case "IMAGE":
			if rq.Identifier.Text(tag.SeriesInstanceUID) != series {
				continue
			}
			ds.SetText(tag.SOPInstanceUID, f.SOPInstanceUID)
			ds.SetText(tag.SOPClassUID, f.SOPClassUID)
		}
		yield(dimse.Match{Identifier: ds})
	}
	return dimse.Status{}
}

// get sends the studies, or the instances that are named.
func (m *manyClassArchive) get(_ context.Context, _ *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	only := rq.Identifier.Texts(tag.SOPInstanceUID)
	var subs []dimse.SubOperation
	for _, study := range rq.Identifier.Texts(tag.StudyInstanceUID) {
		for _, f := range m.studies[study] {
			if len(only) > 0 && !slices.Contains(only, f.SOPInstanceUID) {
				continue
			}
			subs = append(subs, subOperationOf(f))
		}
	}
	return &dimse.RetrievePlan{Count: len(subs), SubOperations: slices.Values(subs)}, dimse.Status{}
}

// subOperationOf gives a file in the one syntax that it claims.
func subOperationOf(f *sender.File) dimse.SubOperation {
	return dimse.SubOperation{
		SOPClassUID: f.SOPClassUID, SOPInstanceUID: f.SOPInstanceUID, TransferSyntaxes: []string{f.TransferSyntax},
		Open: func(_ context.Context, accepted []string) (io.ReadCloser, string, error) {
			if !slices.Contains(accepted, f.TransferSyntax) {
				return nil, "", errors.New("not accepted as it is stored")
			}
			r, err := os.Open(f.Path)
			if err != nil {
				return nil, "", err
			}
			_, err = r.Seek(f.Offset, io.SeekStart)
			return r, f.TransferSyntax, err
		},
	}
}

func TestGetOfManyStudiesGetsWhatItGetsSingly(t *testing.T) {
	t.Parallel()
	classes := uid.StorageClasses()
	for name, studies := range map[string][]int{ // objects per study, each of another class
		"one class each":         {1, 1, 1, 1, 1, 1, 1, 1},
		"a study of many":        {20},
		"many studies, some big": {3, 3, 9, 1, 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &manyClassArchive{studies: map[string][]*sender.File{}}
			args := []string{"get"}
			total := 0
			for i, n := range studies {
				study := fmt.Sprintf("1.2.3.%d", i+1)
				args = append(args, "--study", study)
				for _, f := range imageFiles(t, n) {
					f.SOPClassUID = classes[total%len(classes)]
					f.TransferSyntax = uid.JPEGLSNearLossless
					m.studies[study] = append(m.studies[study], f)
					total++
				}
			}
			mux := dimse.NewMux(dimse.Unguarded)
			mux.HandleFind(m.find)
			mux.HandleGet(m.get)
			d := peerWith(t, mux, dimse.Support{
				TransferSyntaxes: func(string) []string { return fetch.AnySyntax() }, // natives first: the peer's choice
				Roles:            func(string) (bool, bool) { return true, true },
			})

			out, problem, code := runAgainst(t, d.Address, append(args, "--out", t.TempDir())...)
			if code != exitOK || !strings.HasPrefix(out, fmt.Sprintf("%d received in ", total)) {
				t.Errorf("code %d, want %d received\n%s%s", code, total, out, problem)
			}
		})
	}
}
