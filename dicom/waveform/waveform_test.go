package waveform_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicom/waveform"
	"collimator/internal/synth"
)

func ecg() *dicom.DataSet { return synth.First(synth.ECG, synth.Options{}).DataSet }

func draw(t testing.TB, groups []waveform.Group) string {
	t.Helper()
	var b bytes.Buffer
	if err := waveform.WriteSVG(&b, groups); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		if _, err := d.Token(); err == io.EOF {
			return b.String()
		} else if err != nil {
			t.Fatalf("the drawing is no XML: %v", err)
		}
	}
}

func TestAnElectrocardiogramIsInMillivolts(t *testing.T) {
	t.Parallel()
	groups, err := waveform.Read(ecg(), waveform.Limits{})
	if err != nil || len(groups) != 1 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	g := groups[0]
	if len(g.Channels) != 12 || g.Rate != 500 || g.Seconds != 10 || g.Label != "RHYTHM" {
		t.Fatalf("%d channels of %g Hz and %g s", len(g.Channels), g.Rate, g.Seconds)
	}
	c := g.Channels[0]
	high := 0.0
	for _, v := range c.Values {
		high = max(high, v)
	}
	if c.Label != "Lead I" || c.Unit != "mV" || len(c.Values) != 5000 || math.Abs(high-1.1) > 0.05 { // the R wave that was drawn
		t.Errorf("%s in %s, %d values up to %g", c.Label, c.Unit, len(c.Values), high)
	}

	svg := draw(t, groups)
	if strings.Count(svg, `stroke="#000"`) != 12 || !strings.Contains(svg, "25 mm/s, 10 mm/mV") || strings.Contains(svg, "drawn</text>") || len(svg) > 1<<20 {
		t.Errorf("%d curves in %d bytes", strings.Count(svg, `stroke="#000"`), len(svg))
	}
}

func TestSamplesOfEveryKindAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bits           int64
		interpretation string
		data           []byte
		want           float64
	}{
		{8, "SB", []byte{0xFE, 0}, -2}, {8, "UB", []byte{0xFE, 0}, 254}, {16, "SS", []byte{0xFE, 0xFF}, -2}, {16, "US", []byte{0xFE, 0xFF}, 65534},
		{32, "SL", []byte{0xFE, 0xFF, 0xFF, 0xFF}, -2}, {32, "UL", []byte{1, 0, 1, 0}, 65537},
	} {
		groups, err := waveform.Read(one(t, c.bits, c.interpretation, c.data), waveform.Limits{})
		if err != nil || len(groups) != 1 || groups[0].Channels[0].Values[0] != 2*c.want+1 {
			t.Errorf("%d %s: %v, %v", c.bits, c.interpretation, groups, err)
		}
	}
	for _, c := range []struct {
		bits           int64
		interpretation string
		data           []byte
	}{{8, "MB", []byte{1, 2}}, {8, "AB", []byte{1, 2}}, {16, "UB", []byte{1, 2}}, {64, "SV", make([]byte, 8)}, {16, "SS", nil}} {
		if _, err := waveform.Read(one(t, c.bits, c.interpretation, c.data), waveform.Limits{}); !errors.Is(err, waveform.ErrUnusual) {
			t.Errorf("%d %s: %v", c.bits, c.interpretation, err)
		}
	}
	if _, err := waveform.Read(dicom.NewDataSet(), waveform.Limits{}); !errors.Is(err, waveform.ErrNone) {
		t.Errorf("without a waveform: %v", err)
	}
}

// one is a waveform of one sample, of a sensitivity of 2 and a baseline of 1.
func one(t testing.TB, bits int64, interpretation string, data []byte) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	it, ch := ds.NewItem(), ds.NewItem()
	for _, err := range []error{
		ch.SetText(tag.ChannelSensitivity, "2"), ch.SetText(tag.ChannelBaseline, "1"), ch.SetText(tag.ChannelLabel, `<script>"&`),
		it.SetInt(tag.NumberOfWaveformChannels, 1), it.SetInt(tag.NumberOfWaveformSamples, 1), it.SetText(tag.SamplingFrequency, "1"),
		it.SetInt(tag.WaveformBitsAllocated, bits), it.SetText(tag.WaveformSampleInterpretation, interpretation),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	it.SetItems(tag.ChannelDefinitionSequence, ch)
	it.Set(dicom.NewElement(tag.WaveformData, dicom.OW, data))
	ds.SetItems(tag.WaveformSequence, it)
	return ds
}

func TestWhatGoesBeyondTheLimitsIsNotDrawn(t *testing.T) {
	t.Parallel()
	groups, err := waveform.Read(ecg(), waveform.Limits{Channels: 3, Seconds: 2})
	if err != nil || len(groups[0].Channels) != 3 || len(groups[0].Channels[0].Values) != 1001 {
		t.Fatalf("%v", err)
	}
	if svg := draw(t, groups); !strings.Contains(svg, "the first 2 s are drawn") {
		t.Error("it is not said that more was recorded")
	}
	if groups, err = waveform.Read(ecg(), waveform.Limits{Bytes: 2400}); err != nil || len(groups[0].Channels[0].Values) != 100 {
		t.Errorf("%v", err)
	}
	if got := waveform.Cost(ecg(), waveform.Limits{Bytes: 2400}); got != 9*2400 {
		t.Errorf("it costs %d", got)
	}
}

func TestNamesOfLeadsAreText(t *testing.T) {
	t.Parallel()
	groups, err := waveform.Read(one(t, 8, "SB", []byte{1, 0}), waveform.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if svg := draw(t, groups); strings.Contains(svg, "<script") || !strings.Contains(svg, "&lt;script&gt;") {
		t.Errorf("%s", svg)
	}
}

// FuzzRead draws whatever is read as a waveform.
func FuzzRead(f *testing.F) {
	for _, ds := range []*dicom.DataSet{one(f, 16, "SS", []byte{1, 2}), one(f, 8, "UB", []byte{1, 0})} {
		var b bytes.Buffer
		if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
		if err != nil {
			return
		}
		if groups, err := waveform.Read(ds, waveform.Limits{Bytes: 1 << 16}); err == nil {
			draw(t, groups)
		}
	})
}
