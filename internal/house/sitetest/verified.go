package sitetest

import (
	"path/filepath"
	"testing"

	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/house"
	"collimator/internal/verify"
)

// Verified runs the verification and returns what it found.
func Verified(t testing.TB, in *house.Installation) []verify.Problem {
	t.Helper()
	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, house.BlobsDir))
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()

	a, err := archive.Open(archive.Options{DB: in.DB, Blobs: blobs})
	if err != nil {
		t.Fatal(err)
	}

	r, err := verify.Run(t.Context(), in.Verification(verify.Options{Archive: a}))
	if err != nil {
		t.Fatalf("verify gives up: %v", err)
	}
	return r.Problems
}
