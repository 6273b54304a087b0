package main

import (
	"go/format"
	"os"
	"path/filepath"
	"testing"
)

func TestMaskedTags(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][2]uint32{
		"(0008,0050)":                   {0x00080050, 0xFFFFFFFF},
		"(50XX,XXXX)":                   {0x50000000, 0xFF000000},
		"(60xx,4000)":                   {0x60004000, 0xFF00FFFF},
		"(GGGG,EEEE) WHERE GGGG IS ODD": {0x00010000, 0x00010000},
	} {
		tag, mask, err := masked(s)
		if err != nil || tag != want[0] || mask != want[1] {
			t.Errorf("%s: %08X %08X %v", s, tag, mask, err)
		}
	}
	if _, _, err := masked("(0008)"); err == nil {
		t.Error("half a tag was taken")
	}
}

func TestCommittedProfileIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(dir, "standard", "confidentiality_profile_attributes.json")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no shared standard (COLLIMATOR_SHARED): left out comparing the table of dicom/deid with it")
	}
	want, err := profile(path)
	if err != nil {
		t.Fatal(err)
	}
	formatted, err := format.Source([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../dicom/deid/table.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(formatted) {
		t.Error("dicom/deid/table.go is not what gendict writes")
	}
}
