package house_test

import (
	"net/http"
	"strings"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

func TestAProgramInAPreambleDoesNotGoOn(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[string]int{"accept": http.StatusOK, "quarantine": http.StatusConflict, "refuse": http.StatusConflict} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			w := sitetest.NewWeb(t, func(c *config.Config) { c.Inspect.Preambles = verdict })
			_, token := w.Token(policy.Administrator, policy.AllVerbs())
			body, contentType := sitetest.Multipart(t, sitetest.Whole(t, 9, "MZ program", "2.25.99"))
			if status, text := w.Do("POST", "/dicom-web/studies", token, body, contentType); status != want {
				t.Errorf("status %d, want %d: %s", status, want, text)
			}
			if !strings.Contains(w.Log.String(), "Windows program in preamble") {
				t.Error("the log says nothing of the preamble")
			}
			if verdict == "accept" {
				status, text := w.Do("GET", "/dicom-web/studies/2.25.73/series/2.25.841/instances/2.25.99", token, nil, "")
				if at := strings.Index(text, "DICM"); status != http.StatusOK || at < 128 || strings.Contains(text, "MZ program") || strings.Trim(text[at-128:at], "\x00") != "" {
					t.Errorf("status %d, the preamble goes on", status)
				}
			}
		})
	}
}

func TestMetaInformationThatNamesAnotherInstanceIsRefused(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t, func(c *config.Config) { c.Inspect.Contradictions = "refuse" })
	_, token := w.Token(policy.Administrator, policy.AllVerbs())
	body, contentType := sitetest.Multipart(t, sitetest.Whole(t, 9, "", "2.25.98"))
	status, text := w.Do("POST", "/dicom-web/studies", token, body, contentType)
	if status != http.StatusConflict || !strings.Contains(text, "43264") { // A900H
		t.Errorf("status %d, %s", status, text)
	}
}
