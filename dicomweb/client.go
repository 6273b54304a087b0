package dicomweb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"collimator/dicom"
)

// Client asks a DICOMweb server. It is safe for concurrent use. The zero value
// but for Base is usable.
type Client struct {
	// Base is the address of the studies service, such as
	// "https://pacs.example/dicom-web".
	Base string
	// HTTP does the requests; nil is http.DefaultClient. Authentication by
	// certificate or by a scheme of one's own goes into its Transport.
	HTTP *http.Client
	// Token, when set, is sent as a bearer token (RFC 6750 2.1), to Base only.
	Token  string
	Limits Limits // Parts and PartHeader of answers; Metadata for one of a store request
}

// ResponseError is an answer of failure.
type ResponseError struct {
	Status int    // of HTTP
	Detail string // of the problem document, if there was one; from the server
}

// Error quotes the server's detail but no address.
func (e *ResponseError) Error() string {
	s := fmt.Sprintf("dicomweb: server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// maxProblem is how much of a problem document is read.
const maxProblem = 64 << 10

// do sends a request to a path below Base. The body of the answer is open.
func (c *Client) do(
	ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader,
) (*http.Response, error) {
	target := strings.TrimSuffix(c.Base, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}

	rq, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("dicomweb: the address of the server is not one")
	}
	for k, v := range header {
		rq.Header[k] = v
	}
	if c.Token != "" {
		rq.Header.Set("Authorization", "Bearer "+c.Token)
	}

	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}

	rs, err := client.Do(rq)
	if e, ok := err.(*url.Error); ok {
		err = e.Err // its text has the address, which may hold patient data
	}
	if err != nil {
		return nil, fmt.Errorf("dicomweb: request failed: %w", err)
	}
	return rs, nil
}

// get is do for reading; an answer of failure is an error.
func (c *Client) get(ctx context.Context, path string, query url.Values, accept string, more ...string) (*http.Response, error) {
	h := http.Header{"Accept": {accept}}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}

	rs, err := c.do(ctx, http.MethodGet, path, query, h, nil)
	if err != nil {
		return nil, err
	}
	if rs.StatusCode >= 300 || rs.StatusCode < 200 {
		return nil, responseError(rs)
	}
	return rs, nil
}

// responseError reads what went wrong and closes the answer.
func responseError(rs *http.Response) error {
	defer rs.Body.Close()
	e := &ResponseError{Status: rs.StatusCode}
	if m, _ := parseMediaRange(rs.Header.Get("Content-Type")); m.mediaType == typeProblem {
		var p problem
		if b, err := io.ReadAll(io.LimitReader(rs.Body, maxProblem)); err == nil && json.Unmarshal(b, &p) == nil {
			e.Detail = p.Detail
		}
	}
	return e
}

// Search asks for the entities of a level that match (PS3.18 10.6). Resource
// narrows to a study or series; query holds matching keys by keyword or tag,
// includefield, limit, offset and fuzzymatching. Where limit is not set and the
// server says that there is more, the following pages are asked for too.
func (c *Client) Search(ctx context.Context, l Level, within Resource, query url.Values) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		offset, _ := strconv.Atoi(query.Get("offset"))
		for {
			n := 0
			more := false
			ok := true
			for ds, err := range c.searchPage(ctx, l, within, query, offset, &more) {
				if ok = yield(ds, err) && err == nil; !ok {
					return
				}
				n++
			}
			if !more || n == 0 || query.Has("limit") {
				return
			}
			offset += n
		}
	}
}

// searchPage is one page; more tells afterwards whether the server has further ones.
func (c *Client) searchPage(
	ctx context.Context, l Level, within Resource, query url.Values, offset int, more *bool,
) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		q := url.Values{}
		for k, v := range query {
			q[k] = v
		}
		if offset > 0 {
			q.Set("offset", strconv.Itoa(offset))
		}
		rs, err := c.get(ctx, searchPath(l, within), q, typeJSON)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rs.Body.Close()
		*more = strings.HasPrefix(rs.Header.Get("Warning"), "299")
		if rs.StatusCode != http.StatusNoContent {
			dataSets(rs.Body, yield)
		}
	}
}

// searchPath is where a level is searched.
func searchPath(l Level, within Resource) string {
	name := map[Level]string{StudyLevel: "/studies", SeriesLevel: "/series", InstanceLevel: "/instances"}[l]
	if within.StudyUID == "" || l == StudyLevel {
		return name
	}
	within.SOPInstanceUID = ""
	if l == SeriesLevel {
		within.SeriesUID = ""
	}
	return within.path() + name
}

// dataSets yields the data sets of an array of DICOM JSON one at a time. An error is
// the last that it yields.
func dataSets(r io.Reader, yield func(*dicom.DataSet, error) bool) {
	j := dicom.NewJSONReader(r, dicom.JSONOptions{})
	for {
		ds, err := j.Next()
		if err == io.EOF {
			return
		}
		if !yield(ds, err) || err != nil {
			return
		}
	}
}

// Metadata reads the data sets of a resource without their bulk data (PS3.18
// 10.4.1.2), one after the other.
func (c *Client) Metadata(ctx context.Context, r Resource) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		rs, err := c.get(ctx, r.path()+"/metadata", nil, typeJSON)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rs.Body.Close()
		dataSets(rs.Body, yield)
	}
}

// Delete removes a resource, where the server offers that.
func (c *Client) Delete(ctx context.Context, r Resource) error {
	rs, err := c.do(ctx, http.MethodDelete, r.path(), nil, nil, nil)
	if err != nil {
		return err
	}
	if rs.StatusCode >= 300 {
		return responseError(rs)
	}
	return rs.Body.Close()
}

// Received is a part of an answer. Data ends where the next part is asked for.
type Received struct {
	ContentType    string
	MediaType      string // without parameters
	TransferSyntax string // empty if the server did not say
	Location       string
	Data           io.Reader
}

// parts reads a multipart answer, or one that is a single part.
func (c *Client) parts(ctx context.Context, path, accept string) iter.Seq2[Received, error] {
	return func(yield func(Received, error) bool) {
		rs, err := c.get(ctx, path, nil, accept)
		if err != nil {
			yield(Received{}, err)
			return
		}
		defer rs.Body.Close()

		contentType := rs.Header.Get("Content-Type")
		m, _ := parseMediaRange(contentType)
		if !m.multipart {
			yield(Received{contentType, m.mediaType, m.transferSyntax, "", rs.Body}, nil)
			return
		}
		if boundaryProblem(m.boundary) != "" {
			yield(Received{}, errPartHeader)
			return
		}

		limits := c.Limits
		if limits.Parts == 0 {
			limits.Parts = 1 << 30 // the caller stops when it has enough
		}
		limits = limits.withDefaults()
		pr := newPartReader(rs.Body, m.boundary, limits.PartHeader, limits.Parts)

		for {
			p, err := pr.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Received{}, err)
				return
			}
			t, _ := parseMediaRange(p.Get("Content-Type"))
			if !yield(Received{p.Get("Content-Type"), t.mediaType, t.transferSyntax, p.Get("Content-Location"), p}, nil) {
				return
			}
		}
	}
}

// acceptSyntaxes is an Accept header for a media type in one of the transfer
// syntaxes, best first; none means as it is stored.
func acceptSyntaxes(mediaType string, syntaxes []string) string {
	if len(syntaxes) == 0 {
		syntaxes = []string{"*"}
	}
	list := make([]string, len(syntaxes))
	for i, ts := range syntaxes {
		list[i] = `multipart/related; type="` + mediaType + `"; transfer-syntax=` + ts
	}
	return strings.Join(list, ", ")
}

// Retrieve reads the Part 10 files of a study, series or instance (PS3.18
// 10.4.1.1), in one of the transfer syntaxes, best first; none means as they
// are stored.
func (c *Client) Retrieve(ctx context.Context, r Resource, transferSyntaxes ...string) iter.Seq2[Received, error] {
	return c.parts(ctx, r.path(), acceptSyntaxes(typeDICOM, transferSyntaxes))
}

// Frames reads frames of an instance, counted from 1 (PS3.18 10.4.1.3).
func (c *Client) Frames(ctx context.Context, r Resource, frames []int, transferSyntaxes ...string) iter.Seq2[Received, error] {
	list := make([]string, len(frames))
	for i, n := range frames {
		list[i] = strconv.Itoa(n)
	}
	return c.parts(ctx, r.path()+"/frames/"+strings.Join(list, ","), acceptSyntaxes(typeOctets, transferSyntaxes))
}

// RetrieveInstance opens the Part 10 file of one instance as it is stored.
func (c *Client) RetrieveInstance(ctx context.Context, r Resource) (io.ReadCloser, error) {
	rs, err := c.get(ctx, r.path(), nil, typeDICOM+"; transfer-syntax=*")
	if err != nil {
		return nil, err
	}
	return rs.Body, nil
}

// Rendered reads a picture, an encapsulated document or a video of an instance,
// or the picture of one of its frames; frame 0 leaves the choice to the server.
// Of a study or series it reads all pictures, as the parts of a multipart body. query holds
// viewport, window and quality (PS3.18 8.3.5). An empty accept takes anything.
func (c *Client) Rendered(ctx context.Context, r Resource, frame int, accept string, query url.Values) (io.ReadCloser, string, error) {
	path := r.path()
	if frame > 0 {
		path += "/frames/" + strconv.Itoa(frame)
	}
	if accept == "" {
		accept = "*/*"
	}

	rs, err := c.get(ctx, path+"/rendered", query, accept)
	if err != nil {
		return nil, "", err
	}
	return rs.Body, rs.Header.Get("Content-Type"), nil
}
