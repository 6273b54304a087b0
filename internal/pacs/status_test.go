package pacs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/fault"
)

func TestStoreStatus(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want dimse.StatusCode
	}{
		"stored":                {nil, dimse.Success},
		"other content":         {&archive.ConflictError{Reason: archive.DifferentContent}, dimse.DuplicateSOPInstance},
		"other patient":         {&archive.ConflictError{Reason: archive.OtherPatient}, dimse.InvalidSOPInstance},
		"other study":           {fmt.Errorf("x: %w", &archive.ConflictError{Reason: archive.OtherStudy}), dimse.InvalidSOPInstance},
		"not kept, too":         {errors.Join(errors.New("full"), &archive.ConflictError{Reason: archive.DifferentContent}), dimse.DuplicateSOPInstance},
		"mismatch":              {archive.ErrMismatch, dimse.DataSetDoesNotMatchSOPClass},
		"malformed UID":         {fmt.Errorf("x: %w", archive.ErrUID), dimse.InvalidSOPInstance},
		"unreadable":            {fault.New(fault.Invalid, "x"), dimse.CannotUnderstand},
		"unsupported":           {fault.New(fault.Unsupported, "x"), dimse.CannotUnderstand},
		"beyond the limits":     {fault.New(fault.TooLarge, "x"), dimse.CannotUnderstand},
		"too long for clamd":    {fmt.Errorf("x: %w", archive.ErrTooLong), dimse.CannotUnderstand},
		"disk full":             {fault.New(fault.Unavailable, "x"), dimse.OutOfResources},
		"busy":                  {fault.New(fault.Busy, "x"), dimse.OutOfResources},
		"broken":                {fault.New(fault.Internal, "x"), dimse.ProcessingFailure},
		"anything else":         {errors.New("ZZPHI"), dimse.ProcessingFailure},
		"caller went away":      {context.Canceled, dimse.ProcessingFailure},
		"association cut short": {fmt.Errorf("read: %w", dimse.ErrClosed), dimse.ProcessingFailure},
	} {
		st := storeStatus(tc.err)
		if st.Code != tc.want {
			t.Errorf("%s: %s, want %s", name, st.Code, tc.want)
		}
		if strings.Contains(st.Comment, "ZZPHI") || len(st.Comment) > 64 || (tc.err != nil) != (st.Cause != nil) {
			t.Errorf("%s: comment %q, cause %v", name, st.Comment, st.Cause)
		}
	}
}

func TestQueryStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]dimse.StatusCode{
		fault.Invalid: dimse.DataSetDoesNotMatchSOPClass, fault.Unsupported: dimse.CannotUnderstand, fault.TooLarge: dimse.CannotUnderstand,
		fault.Busy: dimse.OutOfResources, fault.Unavailable: dimse.OutOfResources, fault.Denied: dimse.NotAuthorized, fault.Canceled: dimse.Cancel,
		fault.Internal: dimse.CannotUnderstand,
	} {
		st := queryStatus(fault.New(kind, "test: "+strings.Repeat("long ", 50)))
		if st.Code != want || len(st.Comment) > 64 {
			t.Errorf("%v: %s with %d characters, want %s", kind, st.Code, len(st.Comment), want)
		}
	}
	if st := queryStatus(nil); st.Code != dimse.Success {
		t.Errorf("without error: %s", st.Code)
	}
	if st := queryStatus(errors.New("ZZPHI^NAME")); st.Code != dimse.CannotUnderstand || strings.Contains(st.Comment, "ZZPHI") {
		t.Errorf("of a foreign error: %s %q", st.Code, st.Comment)
	}
}

func TestLevelsOfTheRoots(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		root archive.Root
		want archive.Level
	}{
		{"PATIENT", archive.PatientRoot, archive.PatientLevel}, {"PATIENT", archive.StudyRoot, 0}, {"STUDY", archive.StudyRoot, archive.StudyLevel},
		{"SERIES", archive.PatientRoot, archive.SeriesLevel}, {"IMAGE", archive.StudyRoot, archive.ImageLevel}, {"", archive.StudyRoot, 0},
		{"FRAME", archive.StudyRoot, 0}, {"STUDY\x00x", archive.StudyRoot, 0},
	} {
		if got, err := levelOf(tc.text, tc.root); got != tc.want || (err == nil) != (tc.want != 0) {
			t.Errorf("%q: %v %v", tc.text, got, err)
		}
	}
}
