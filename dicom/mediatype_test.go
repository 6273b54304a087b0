package dicom_test

import (
	"testing"

	"collimator/dicom"
)

func TestMediaTypesAreReadHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"application/pdf": "application/pdf", "APPLICATION/PDF": "application/pdf", " Application/pdf \x00": "application/pdf", "application/pdf; version=1.7": "application/pdf",
		"\"text/XML\"\r\n": "text/xml", "text/xml;charset=utf-16": "text/xml", "model/stl": "model/stl", "image/svg+xml": "image/svg+xml",
		"": "", "pdf": "", "/pdf": "", "application/": "", "application/pdf junk": "", "text/<html>": "", "a/b/c": "",
	} {
		if got := dicom.MediaType(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
