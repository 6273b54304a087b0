// Package dicom holds data sets of PS3.5: it reads and writes them and Part 10
// files in every transfer syntax, decodes their character sets, and turns them
// into the DICOM JSON model and back. Large values stay where they are and are
// read when asked for, so that memory does not grow with the image. The
// package opens no network connection; pixels are the matter of dicom/pixel.
//
// What was read and not changed is written back bit for bit in the transfer
// syntax in which it came.
//
// Values of data elements are patient data: DataSet and Element print as a
// description of their shape under every fmt verb, in slog and in
// encoding/json. To put values out, ask for them by name (Text, MarshalJSON of
// the DICOM JSON model is a function of its own).
package dicom

import "collimator/dicom/tag"

// Tag is a data element tag; its constants are in package tag.
type Tag = tag.Tag

// UndefinedLength is the length field of a value that ends with a delimiter (PS3.5 7.1.1).
const UndefinedLength = 0xFFFFFFFF
