package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheKeywordsOfTheConsoleAreThoseOfTheDictionary(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../dicom/tag/constants.go")
	if err != nil {
		t.Fatal(err)
	}
	want := typeScript(b)
	if !strings.Contains(want, "\n0010 0010PatientName 0020PatientID") {
		t.Error("the dictionary of PS3.6 is read as something else")
	}

	got, err := os.ReadFile("../../web/console/src/pages/study/dictionary.ts")
	if err != nil || string(got) != want {
		t.Errorf("dictionary.ts is not what dicom/tag says (%v): go run ./tools/tagwords dicom/tag/constants.go web/console/src/pages/study/dictionary.ts", err)
	}
}
