package synth

import (
	"encoding/binary"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// ecg makes ten seconds of a 12-lead ECG at 500 Hz (PS3.3 A.34.3, C.10.9).
func (p *plan) ecg(image int) *dicom.DataSet {
	const rate, seconds = 500, 10
	leads := [...]code{
		{"2:1", "MDC", "Lead I"}, {"2:2", "MDC", "Lead II"}, {"2:61", "MDC", "Lead III"}, {"2:62", "MDC", "aVR"},
		{"2:63", "MDC", "aVL"}, {"2:64", "MDC", "aVF"}, {"2:3", "MDC", "Lead V1"}, {"2:4", "MDC", "Lead V2"},
		{"2:5", "MDC", "Lead V3"}, {"2:6", "MDC", "Lead V4"}, {"2:7", "MDC", "Lead V5"}, {"2:8", "MDC", "Lead V6"},
	}

	b := p.common(uid.SOP12LeadECGWaveformStorage, "ECG", 1, image)
	b.text(tag.AcquisitionDateTime, p.Start.Format("20060102150405"))
	b.text(tag.SeriesDescription, "Resting ECG 10 s")
	b.sequence(tag.AcquisitionContextSequence)

	b.sequence(tag.WaveformSequence, func(it builder) {
		it.text(tag.WaveformOriginality, "ORIGINAL")
		it.int(tag.NumberOfWaveformChannels, int64(len(leads)))
		it.int(tag.NumberOfWaveformSamples, rate*seconds)
		it.text(tag.SamplingFrequency, "500")
		it.text(tag.MultiplexGroupLabel, "RHYTHM")

		var channels []func(builder)
		for _, lead := range leads {
			channels = append(channels, func(ch builder) { channel(ch, lead) })
		}
		it.sequence(tag.ChannelDefinitionSequence, channels...)

		it.int(tag.WaveformBitsAllocated, 16)
		it.text(tag.WaveformSampleInterpretation, "SS")

		data := make([]byte, 0, 2*rate*seconds*len(leads))
		rnd := newNoise(p.Seed, image)

		for s := range rate * seconds {
			for lead := range leads {
				v := heartbeat(float64(s)/rate) * (1 - 0.12*float64(lead))
				data = binary.LittleEndian.AppendUint16(data, uint16(int16(v*1000)+int16(rnd.next()%11)))
			}
		}

		it.ds.Set(dicom.NewElement(tag.WaveformData, dicom.OW, data))
	})
	return b.ds
}

// channel defines one lead (PS3.3 C.10.9.1.4).
func channel(ch builder, lead code) {
	ch.code(tag.ChannelSourceSequence, lead)
	ch.text(tag.ChannelSensitivity, "1")
	ch.code(tag.ChannelSensitivityUnitsSequence, code{"uV", "UCUM", "microvolt"})
	ch.text(tag.ChannelSensitivityCorrectionFactor, "1")
	ch.text(tag.ChannelBaseline, "0")
	ch.text(tag.ChannelTimeSkew, "0")
	ch.int(tag.WaveformBitsStored, 16)
	ch.text(tag.FilterLowFrequency, "0.05")
	ch.text(tag.FilterHighFrequency, "150")
}

// heartbeat is millivolts at a time in seconds, at 72 beats a minute.
func heartbeat(at float64) float64 {
	const beat = 60.0 / 72
	at = math.Mod(at, beat)

	wave := func(center, width, height float64) float64 {
		d := (at - center) / width
		return height * math.Exp(-d*d)
	}
	return wave(0.16, 0.025, 0.15) + // P
		wave(0.29, 0.008, -0.12) + wave(0.31, 0.009, 1.1) + wave(0.335, 0.009, -0.25) + // QRS
		wave(0.52, 0.05, 0.3) // T
}
