// Package waveform reads the curves of a waveform object, such as an electrocardiogram (PS3.3 A.34, C.10.9), and draws
// them as SVG for the eye: in millivolts and seconds on the grid of paper where they are that, else each curve in its
// own range. It measures nothing and applies no filter; audio and compressed samples are not drawn.
package waveform

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Errors a caller may test for with errors.Is.
var (
	// ErrNone: the data set holds no waveform.
	ErrNone = errors.New("dicom/waveform: no waveform")
	// ErrUnusual: the samples are of a kind that is not drawn, or contradict what is said of them.
	ErrUnusual = errors.New("dicom/waveform: samples of a kind that is not drawn")
)

// Limits bound what is read and drawn. A field that is zero has its default.
type Limits struct {
	Groups   int     // multiplex groups; default 8
	Channels int     // of all groups; default 64
	Seconds  float64 // of each curve; default 60
	Bytes    int64   // of samples that are read; default 8 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Groups == 0 {
		l.Groups = 8
	}
	if l.Channels == 0 {
		l.Channels = 64
	}
	if l.Seconds == 0 {
		l.Seconds = 60
	}
	if l.Bytes == 0 {
		l.Bytes = 8 << 20
	}
	return l
}

// Group is the curves that were sampled together (PS3.3 C.10.9.1).
type Group struct {
	Label    string
	Rate     float64 // samples a second
	Seconds  float64 // that were recorded
	Channels []Channel
}

// Channel is one curve.
type Channel struct {
	Label  string
	Unit   string    // as UCUM writes it: "mV", "mm[Hg]"; empty where none is said
	Values []float64 // in that unit, of the seconds that are drawn
}

// Has reports an object with a waveform.
func Has(ds *dicom.DataSet) bool { return len(ds.Items(tag.WaveformSequence)) > 0 }

// Cost is the bytes that Read holds at most for an object, with what it gives.
func Cost(ds *dicom.DataSet, l Limits) int64 {
	l = l.withDefaults()
	total := int64(0)
	for _, it := range ds.Items(tag.WaveformSequence)[:min(len(ds.Items(tag.WaveformSequence)), l.Groups)] {
		if el, ok := it.Get(tag.WaveformData); ok {
			total += el.ValueLength()
		}
	}
	return 9 * min(total, l.Bytes) // a byte that is read, and the number of eight that it may become
}

// Read gives the groups of an object, within limits. Samples that were left in the stream are read from there.
func Read(ds *dicom.DataSet, l Limits) (out []Group, err error) {
	l = l.withDefaults()
	items := ds.Items(tag.WaveformSequence)
	if len(items) == 0 {
		return nil, ErrNone
	}

	room := l.Channels
	for _, it := range items[:min(len(items), l.Groups)] {
		g, err := read(it, &l, room)
		if err != nil {
			return nil, err
		}
		if room -= len(g.Channels); len(g.Channels) > 0 {
			out = append(out, g)
		}
	}
	if len(out) == 0 {
		return nil, ErrNone
	}
	return out, nil
}

// read gives one group, of no more than so many channels, and takes its bytes off the limit.
func read(it *dicom.DataSet, l *Limits, room int) (Group, error) {
	g := Group{Label: it.Text(tag.MultiplexGroupLabel)}
	width, signed, err := format(it)
	if err != nil {
		return g, err
	}
	channels, _ := it.Int(tag.NumberOfWaveformChannels)
	samples, _ := it.Int(tag.NumberOfWaveformSamples)
	g.Rate, _ = it.Float(tag.SamplingFrequency)
	if channels < 1 || channels > 1<<12 || samples < 1 || samples > 1<<40 || !(g.Rate > 0) || g.Rate > 1e7 {
		return g, fmt.Errorf("%w: %d channels", ErrUnusual, channels)
	}
	g.Seconds = float64(samples) / g.Rate

	stride := channels * int64(width)
	drawn := min(samples, int64(l.Seconds*g.Rate)+1, l.Bytes/stride)
	b, err := sampled(it, drawn*stride)
	if err != nil {
		return g, err
	}
	l.Bytes -= int64(len(b))
	drawn = int64(len(b)) / stride
	if drawn == 0 {
		return g, fmt.Errorf("%w: there are none", ErrUnusual)
	}

	definitions := it.Items(tag.ChannelDefinitionSequence)
	for c := range min(int(channels), room) {
		def := it.NewItem()
		if c < len(definitions) {
			def = definitions[c]
		}
		one := define(def, c)
		factor, base := calibration(def)
		one.Values = make([]float64, drawn)
		for i := range one.Values {
			at := int64(i)*stride + int64(c*width)
			one.Values[i] = sample(b[at:at+int64(width)], signed)*factor + base
		}
		g.Channels = append(g.Channels, inMillivolts(one))
	}
	return g, nil
}

// format is the bytes of a sample and whether it has a sign (PS3.3 C.10.9.1.5).
func format(it *dicom.DataSet) (width int, signed bool, err error) {
	bits, _ := it.Int(tag.WaveformBitsAllocated)
	switch s := it.Text(tag.WaveformSampleInterpretation); {
	case bits == 8 && s == "SB", bits == 16 && s == "SS", bits == 32 && s == "SL":
		signed = true
	case bits == 8 && s == "UB", bits == 16 && s == "US", bits == 32 && s == "UL":
	default:
		return 0, false, fmt.Errorf("%w: %d bits", ErrUnusual, bits)
	}
	return int(bits / 8), signed, nil
}

// sampled is the first n bytes of the samples, or what there is.
func sampled(it *dicom.DataSet, n int64) ([]byte, error) {
	el, ok := it.Get(tag.WaveformData)
	if !ok {
		return nil, ErrNone
	}
	n = min(n, el.ValueLength())
	r, err := el.OpenRange(0, n)
	if err != nil {
		return nil, fmt.Errorf("dicom/waveform: the samples cannot be opened: %w", err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("dicom/waveform: the samples cannot be read: %w", err)
	}
	return b, nil
}

func sample(b []byte, signed bool) float64 {
	switch {
	case len(b) == 1 && signed:
		return float64(int8(b[0]))
	case len(b) == 1:
		return float64(b[0])
	case len(b) == 2 && signed:
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case len(b) == 2:
		return float64(binary.LittleEndian.Uint16(b))
	case signed:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	}
	return float64(binary.LittleEndian.Uint32(b))
}

// define is what is said of a channel (PS3.3 C.10.9.1.4).
func define(def *dicom.DataSet, c int) Channel {
	one := Channel{Label: def.Text(tag.ChannelLabel)}
	for _, s := range def.Items(tag.ChannelSourceSequence) {
		if m := s.Text(tag.CodeMeaning); m != "" && one.Label == "" {
			one.Label = m
		}
	}
	if one.Label == "" {
		one.Label = fmt.Sprint(c + 1)
	}
	for _, u := range def.Items(tag.ChannelSensitivityUnitsSequence) {
		one.Unit = u.Text(tag.CodeValue)
	}
	return one
}

// calibration is by what a sample is multiplied and what is added to it, to be in the unit of its channel (PS3.3
// C.10.9.1.4.2).
func calibration(def *dicom.DataSet) (factor, base float64) {
	factor = 1
	if v, ok := def.Float(tag.ChannelSensitivity); ok && v != 0 {
		factor = v
	}
	if v, ok := def.Float(tag.ChannelSensitivityCorrectionFactor); ok && v != 0 {
		factor *= v
	}
	base, _ = def.Float(tag.ChannelBaseline)
	return factor, base
}

// inMillivolts turns other voltages into what the grid of paper is for.
func inMillivolts(c Channel) Channel {
	factor := map[string]float64{"uV": 1e-3, "V": 1e3, "nV": 1e-6}[c.Unit]
	if factor == 0 {
		return c
	}
	c.Unit = millivolts
	for i := range c.Values {
		c.Values[i] *= factor
	}
	return c
}

const millivolts = "mV"
