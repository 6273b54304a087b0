package guard

import (
	"mime"
	"net/http"
	"strconv"
)

// File is an answer of a Handler that browsers save and do not show: a page
// that was made of what peers said must not run where people are signed in.
type File struct {
	Name string // of the file, ASCII
	Type string // media type
	Body []byte
}

func isFile(v any) bool {
	_, ok := v.(*File)
	return ok
}

func (f *File) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	w.Write(f.Body)
}
