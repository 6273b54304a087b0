package main

import (
	"io"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/house/sitetest"
	"collimator/internal/synth"
)

// TestTheLightPageShowsEachKind stores an object of each kind and looks at its page in both languages.
func TestTheLightPageShowsEachKind(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")
	for name, c := range map[string]struct {
		file *dicom.File
		page string // what the page holds
		not  string
	}{
		"ct":     {synth.First(synth.CT, small(1)), `id="frame" src="/dicom-web/studies/`, `class="why"`},
		"us":     {synth.First(synth.US, small(2)), `id="place">1 / 3<`, `id="windows"`},
		"sr":     {synth.First(synth.SR, small(3)), "Solitary nodule", "<img"},
		"pdf":    {synth.First(synth.PDF, small(4)), `<iframe class="document" src="/dicom-web/`, "<img"},
		"ecg":    {synth.First(synth.ECG, small(5)), `class="curves"><img src="/dicom-web/`, `id="frame"`},
		"j2k":    {as(t, synth.First(synth.DX, small(6)), uid.JPEG2000Lossless), "JPEG 2000 komprimiert, das hier noch nicht entpackt werden kann", "<img"},
		"video":  {as(t, synth.First(synth.DX, small(7)), uid.MPEG4HP41), "Dies ist ein Video", "<img"},
		"own":    {of(t, synth.First(synth.SR, small(8)), "1.2.276.0.7230010.3.1.0.1"), "sein Hersteller", "<img"},
		"unseen": {of(t, synth.First(synth.SR, small(9)), uid.RawDataStorage), "nichts, was hier zu sehen", "<img"},
	} {
		stow(t, b, c.file)
		study := c.file.DataSet.Text(tag.StudyInstanceUID)
		b.Must(200, "GET", "/view/?study="+study, nil)
		a := b.Send("GET", "/view/?series=1&frame=1&study="+study, nil, "Accept-Language", "de")
		if a.StatusCode != 200 || !strings.Contains(a.Text, c.page) || strings.Contains(a.Text, c.not) || !strings.Contains(a.Text, "Herunterladen") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.Text)
		}
	}
}

// TestASegmentationLiesOverItsSource stores a segmentation with its slices: each frame lies over the slice it names, and
// over the one in its plane where it names none.
func TestASegmentationLiesOverItsSource(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{true, false} {
		x := sitetest.NewPeopledSite(t, nil)
		b := x.SignIn("radiologist")
		var slices []string
		study := ""
		for f := range synth.Study(synth.SEG, small(1)) {
			ds := f.DataSet
			study = ds.Text(tag.StudyInstanceUID)
			if ds.Text(tag.SOPClassUID) == uid.CTImageStorage {
				slices = append(slices, ds.Text(tag.SOPInstanceUID))
			}
			for _, g := range ds.Items(tag.PerFrameFunctionalGroupsSequence) {
				if !named {
					g.Delete(tag.DerivationImageSequence)
				}
			}
			stow(t, b, f)
		}

		a := b.Must(200, "GET", "/view/?series=1&frame=2&study="+study, nil)
		if len(slices) != 3 || !strings.Contains(a.Text, `class="under" src="/dicom-web/studies/`+study) || !strings.Contains(a.Text, "instances/"+slices[1]+"/frames/1/rendered\" alt=") {
			t.Errorf("named %v, %d slices: %s", named, len(slices), a.Text)
		}
	}
}

// stow stores a file.
func stow(t *testing.T, b *sitetest.Browser, f *dicom.File) {
	t.Helper()
	r, contentType := sitetest.Multipart(t, synth.Bytes(f))
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	b.Must(200, "POST", "/dicom-web/studies", string(body), "Content-Type", contentType)
}

func small(seed uint64) synth.Options {
	return synth.Options{Seed: seed, Rows: 32, Columns: 32, Frames: 3, Images: 1, Series: 1}
}

// as is an object that claims another transfer syntax, with a frame of no meaning.
func as(t *testing.T, f *dicom.File, syntax string) *dicom.File {
	t.Helper()
	f.DataSet.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("not what it claims to be")))
	f.TransferSyntax = syntax
	if err := f.Meta.SetText(tag.TransferSyntaxUID, syntax); err != nil {
		t.Fatal(err)
	}
	return f
}

// of is an object of another SOP Class.
func of(t *testing.T, f *dicom.File, class string) *dicom.File {
	t.Helper()
	for ds, k := range map[*dicom.DataSet]dicom.Tag{f.DataSet: tag.SOPClassUID, f.Meta: tag.MediaStorageSOPClassUID} {
		if err := ds.SetText(k, class); err != nil {
			t.Fatal(err)
		}
	}
	return f
}
