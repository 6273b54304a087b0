package pacs_test

import (
	"context"
	"encoding/binary"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/budget"
)

// within is a door that opens an account for each request.
func within(b *budget.Budget, door dicomweb.Interceptor) dicomweb.Interceptor {
	return func(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
		account := b.Open("somebody")
		defer account.Close()
		return door(budget.With(ctx, account), call, next)
	}
}

// zerosRLE is an image of side by side zeros as RLE.
func zerosRLE(t testing.TB, side int) *dicom.DataSet {
	t.Helper()
	frame := make([]byte, 64)
	binary.LittleEndian.PutUint32(frame, 1)
	binary.LittleEndian.PutUint32(frame[4:], 64)
	for range (side*side + 127) / 128 {
		frame = append(frame, 0x81, 0)
	}
	s := spec{study: 1, series: 1, instance: 1, ints: map[dicom.Tag]int64{tag.Rows: int64(side), tag.Columns: int64(side), tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7},
		pixels: dicom.NewFragments(tag.PixelData, dicom.OB, nil, frame)}
	return s.dataSet(t)
}

// TestConversionTakesItsFramesFromTheBudget: before it decodes, until it was sent.
func TestConversionTakesItsFramesFromTheBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		total  int64
		status int
	}{{64 << 20, http.StatusOK}, {6 << 20, http.StatusRequestEntityTooLarge}} {
		b := budget.New(c.total)
		w := openWeb(t, within(b, everything))
		w.put(file(t, zerosRLE(t, 2048), uid.RLELossless))
		stored := b.Usage().Most
		one := spec{study: 1, series: 1, instance: 1}.resource()
		a := w.ask(http.MethodGet, "/studies/"+one.StudyUID+"/series/"+one.SeriesUID+"/instances/"+one.SOPInstanceUID,
			`application/dicom; transfer-syntax=1.2.840.10008.1.2.1`)
		if a.status != c.status {
			t.Errorf("of %d bytes: %d %s", c.total, a.status, a.body[:min(len(a.body), 300)])
		}
		u := b.Usage()
		if u.Held != 0 || u.Most > c.total || c.status == http.StatusOK && u.Most < stored+4<<20 {
			t.Errorf("of %d bytes: %+v, %d while it was stored", c.total, u, stored)
		}
	}
}

// TestCopiesWithoutIdentityTakeTheirFramesFromTheBudget: they are converted as well.
func TestCopiesWithoutIdentityTakeTheirFramesFromTheBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		total  int64
		status int
	}{{64 << 20, http.StatusOK}, {6 << 20, http.StatusRequestEntityTooLarge}} {
		b := budget.New(c.total)
		w := openWeb(t, within(b, restrictedBy))
		w.put(file(t, zerosRLE(t, 2048), uid.RLELossless))
		studies := found(t, w.ask("GET", "/studies", "*/*"), studyUID)
		if len(studies) != 1 {
			t.Fatalf("%d studies", len(studies))
		}
		a := w.ask(http.MethodGet, "/studies/"+plain(studies[0][0]), `multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1`)
		u := b.Usage()
		if a.status != c.status || u.Held != 0 || c.status == http.StatusOK && u.Most < 4<<20 {
			t.Errorf("of %d bytes: %d, %+v", c.total, a.status, u)
		}
	}
}

// TestInstancesOfARequestGiveBackWhatTheyTook: a thousand of them come in one.
func TestInstancesOfARequestGiveBackWhatTheyTook(t *testing.T) {
	t.Parallel()
	b := budget.New(4 << 20)
	w := openWeb(t, within(b, everything))
	var files [][]byte
	for i := range 30 {
		ds := spec{study: 1, series: 1, instance: i + 1}.dataSet(t)
		for k := range 240 {
			ds.Set(dicom.NewElement(dicom.Tag(0x00111000+k), dicom.LT, []byte(strings.Repeat("y", 1000))))
		}
		files = append(files, file(t, ds, uid.ExplicitVRLittleEndian))
	}
	w.put(files...)
	if u := b.Usage(); u.Held != 0 || u.Most == 0 {
		t.Errorf("%+v", u)
	}
}
