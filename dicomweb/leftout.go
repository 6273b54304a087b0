package dicomweb

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// leftOut is what an answer of several pictures lacks, because it turned out only
// on the way that a frame cannot be shown. One damaged image does not take the
// others along: a part with a problem document (RFC 9457) stands in its place, and
// as long as nothing is sent yet, the status is 206 (PS3.18 10.4.3).
type leftOut struct {
	status  int
	waiting []string // addresses that are to be named when the answer begins
	problem *Error   // of the first
}

// imageParts sends each frame as a part; the first that can be shown begins the answer.
func (x *exchange) imageParts(w *partWriter, header *Header, frames []int, o renderOptions, mediaType string, left *leftOut) error {
	for _, n := range frames {
		location := x.link(header.Resource) + "/frames/" + strconv.Itoa(n) + "/rendered"
		b, done, err := x.image(header, n, o, mediaType)
		if err != nil {
			if err := x.leaveOut(w, left, location, renderError(err)); err != nil {
				return err
			}
			continue
		}

		err = x.imagePart(w, b, location, mediaType, left)
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// imagePart sends a picture, behind what was left out before it.
func (x *exchange) imagePart(w *partWriter, b []byte, location, mediaType string, left *leftOut) error {
	if !x.begun {
		x.start(left.status, w.contentType(mediaType))
	}
	if err := x.nameLeftOut(w, left); err != nil {
		return err
	}
	if err := w.begin(mediaType, location, int64(len(b))); err != nil {
		return err
	}
	_, err := x.Write(b)
	return err
}

// leaveOut notes a frame that cannot be shown. Any other error is given back: it
// ends the answer.
func (x *exchange) leaveOut(w *partWriter, left *leftOut, location string, err error) error {
	problem, ok := errors.AsType[*Error](err)
	if !ok || problem.Status != http.StatusNotAcceptable {
		return err
	}

	if left.problem == nil {
		left.problem = problem
	}

	left.status = http.StatusPartialContent
	left.waiting = append(left.waiting, location)
	if len(left.waiting) > mostLeftOut {
		return problem
	}
	if !x.begun {
		return nil
	}
	return x.nameLeftOut(w, left)
}

// mostLeftOut is how many frames may be missing before anything was shown.
const mostLeftOut = 10_000

// nameLeftOut sends a part for each frame that was left out and not named yet.
func (x *exchange) nameLeftOut(w *partWriter, left *leftOut) error {
	for _, location := range left.waiting {
		e := left.problem
		b, err := json.Marshal(problem{Type: "about:blank", Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Detail})
		if err != nil {
			return err
		}
		if err := w.begin(typeProblem, location, int64(len(b))); err != nil {
			return err
		}
		if _, err := x.Write(b); err != nil {
			return err
		}
	}

	left.waiting = nil
	return nil
}
