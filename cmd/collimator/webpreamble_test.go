package main

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/internal/config"
	"collimator/internal/policy"
)

// whole is an instance as a file with a preamble, and with meta information
// that names a SOP Instance.
func whole(t *testing.T, i int, preamble, instance string) []byte {
	t.Helper()
	data, err := io.ReadAll(incoming(t, i, 1).Data)
	if err != nil {
		t.Fatal(err)
	}
	b := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: uid.SecondaryCaptureImageStorage, SOPInstanceUID: instance, TransferSyntaxUID: uid.ExplicitVRLittleEndian, ImplementationClassUID: "2.25.1"})
	copy(b, preamble)
	return append(b, data...)
}

func TestAProgramInAPreambleDoesNotGoOn(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[string]int{"accept": http.StatusOK, "quarantine": http.StatusConflict, "refuse": http.StatusConflict} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			w := newWebServer(t, func(c *config.Config) { c.Inspect.Preambles = verdict })
			_, token := w.token(policy.Administrator, policy.AllVerbs())
			body, contentType := multipartOf(t, whole(t, 9, "MZ program", "2.25.99"))
			if status, text := w.do("POST", "/dicom-web/studies", token, body, contentType); status != want {
				t.Errorf("status %d, want %d: %s", status, want, text)
			}
			if !strings.Contains(w.log.String(), "Windows program in preamble") {
				t.Error("the log says nothing of the preamble")
			}
			if verdict == "accept" {
				status, text := w.do("GET", "/dicom-web/studies/2.25.73/series/2.25.841/instances/2.25.99", token, nil, "")
				if at := strings.Index(text, "DICM"); status != http.StatusOK || at < 128 || strings.Contains(text, "MZ program") || strings.Trim(text[at-128:at], "\x00") != "" {
					t.Errorf("status %d, the preamble goes on", status)
				}
			}
		})
	}
}

func TestMetaInformationThatNamesAnotherInstanceIsRefused(t *testing.T) {
	t.Parallel()
	w := newWebServer(t, func(c *config.Config) { c.Inspect.Contradictions = "refuse" })
	_, token := w.token(policy.Administrator, policy.AllVerbs())
	body, contentType := multipartOf(t, whole(t, 9, "", "2.25.98"))
	status, text := w.do("POST", "/dicom-web/studies", token, body, contentType)
	if status != http.StatusConflict || !strings.Contains(text, "43264") { // A900H
		t.Errorf("status %d, %s", status, text)
	}
}

// multipartOf is the body of a STOW-RS request with one file.
func multipartOf(t *testing.T, file []byte) (io.Reader, string) {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}})
	if err == nil {
		_, err = part.Write(file)
	}
	if err = errors.Join(err, m.Close()); err != nil {
		t.Fatal(err)
	}
	return &body, `multipart/related; type="application/dicom"; boundary=` + m.Boundary()
}
