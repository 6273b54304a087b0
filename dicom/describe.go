package dicom

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// String is the shape: "(0010,0010) PN 12 bytes".
func (el Element) String() string {
	s := el.Tag.String() + " " + el.VR.String() + " "
	switch {
	case el.v == nil:
		return s + "empty"
	case el.v.kind == sequence:
		return s + strconv.Itoa(len(el.v.more.items)) + " items"
	case el.Encapsulated():
		return s + strconv.Itoa(el.FragmentCount()) + " fragments"
	case el.v.kind == bulk:
		return s + strconv.FormatInt(el.v.more.bulk.Length, 10) + " bytes in the stream"
	}
	return s + strconv.Itoa(len(el.v.raw)) + " bytes"
}

// Format prints the shape under every verb.
func (el Element) Format(s fmt.State, _ rune) { io.WriteString(s, el.String()) }

// LogValue is the shape.
func (el Element) LogValue() slog.Value { return slog.StringValue(el.String()) }

// MarshalJSON is the shape as a JSON string; the DICOM JSON model has a
// function of its own.
func (el Element) MarshalJSON() ([]byte, error) { return json.Marshal(el.String()) }

// String is the shape: "data set of 12 elements".
func (ds *DataSet) String() string {
	if ds == nil {
		return "no data set"
	}
	return "data set of " + strconv.Itoa(len(ds.els)) + " elements"
}

// Format prints the shape under every verb.
func (ds *DataSet) Format(s fmt.State, _ rune) { io.WriteString(s, ds.String()) }

// LogValue is the shape.
func (ds *DataSet) LogValue() slog.Value { return slog.StringValue(ds.String()) }

// MarshalJSON is the shape as a JSON string; the DICOM JSON model has a
// function of its own.
func (ds *DataSet) MarshalJSON() ([]byte, error) { return json.Marshal(ds.String()) }
