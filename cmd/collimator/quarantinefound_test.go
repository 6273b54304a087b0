package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// heldFile is an instance with a program behind a header that stands far away.
func heldFile(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 9000)
	copy(b, "MZ")
	b[61] = 0x20 // 8192
	copy(b[8192:], "PE\x00\x00")
	ds, err := dicom.Decode(sitetest.Incoming(t, 9, 1).Data, dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	if err := ds.SetText(dicom.Tag(0x00110010), "COLLIMATOR TEST"); err != nil {
		t.Fatal(err)
	}
	ds.Set(dicom.NewElement(dicom.Tag(0x00111001), dicom.OB, b))
	var out bytes.Buffer
	out.Write(dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: uid.ExplicitVRLittleEndian}))
	if err := dicom.Encode(&out, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestQuarantineSaysWhatWasFoundAndWhoSentIt: the rule and the tag in 'show' and in
// the trail, the token in the list.
func TestQuarantineSaysWhatWasFoundAndWhoSentIt(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	id, token := w.Token(policy.Administrator, policy.AllVerbs())
	body, contentType := sitetest.Multipart(t, heldFile(t))
	if status, text := w.Do("POST", "/dicom-web/studies", token, body, contentType); status != http.StatusConflict {
		t.Fatalf("status %d: %s", status, text)
	}

	if status, text := w.Do("GET", "/api/v1/quarantine", token, nil, ""); status != http.StatusOK || !strings.Contains(text, `"by":"token `+id) {
		t.Errorf("the API: %d %s", status, text)
	}

	const found = "Windows program in private element (0011,1001)"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"quarantine", "list"}, "token " + id},
		{[]string{"quarantine", "show", "1"}, found + "; rule inspect.programs: quarantine"},
		{[]string{"audit", "tail"}, "held back: suspicious: " + found},
	} {
		out, code := runOn(w.In, t, c.args...)
		if code != exitOK || !strings.Contains(out, c.want) {
			t.Errorf("%s: code %d, %s\nwant %q", strings.Join(c.args, " "), code, out, c.want)
		}
	}
}
