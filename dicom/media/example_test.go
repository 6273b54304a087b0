package media_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"

	"collimator/dicom/media"
	"collimator/internal/synth"
)

// A zip with a directory is written, read, and checked. A folder is the same with
// media.Folder and os.Root.FS.
func Example() {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := media.NewWriter(media.Zip(z), media.WriterOptions{FileSetID: "EXAMPLE"})
	if err != nil {
		log.Fatal(err)
	}
	for f := range synth.Study(synth.CT, synth.Options{Series: 1, Images: 2, Rows: 16, Columns: 16}) {
		image := synth.Bytes(f)
		source := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(image)), nil }
		if _, err := w.Add(context.Background(), source); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		log.Fatal(err)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}

	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		log.Fatal(err)
	}
	set, err := media.Open(r, media.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	for record := range set.Directory.All() {
		fmt.Println(record.Type())
	}
	for o := range set.Check() {
		fmt.Println(o.Path, len(o.Problems))
	}
	// Output:
	// PATIENT
	// STUDY
	// SERIES
	// IMAGE
	// IMAGE
	// PT000000/ST000000/SE000000/IM000000 0
	// PT000000/ST000000/SE000000/IM000001 0
}
