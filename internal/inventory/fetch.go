package inventory

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/outward"
)

// Bounds of an update: time for one answer, bytes of all answers.
const (
	fetchTimeout = 60 * time.Second
	maxFetched   = 1 << 30
	maxIndex     = 16 << 20
)

// CheckSource refuses an address that is not https; http only of this machine.
func CheckSource(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return fault.New(fault.Invalid, "inventory: a source is an address such as "+
			"https://HOST/.well-known/csaf/provider-metadata.json, without a user")
	}

	if u.Scheme == "https" {
		return nil
	}

	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && err == nil && ip.IsLoopback() {
		return nil
	}
	return fault.Newf(fault.Invalid,
		"inventory: %s://%s is not taken: a source is fetched over https only", u.Scheme, u.Host)
}

// fetcher gets documents within the bounds.
type fetcher struct {
	r      *Register
	client *http.Client
	left   int64
}

// Fetch takes in what a source has: a document, a folder with index.txt or
// changes.csv, a provider-metadata.json or a ROLIE feed of CSAF. What has not
// changed since the last time is not fetched again. Nothing is sent but the
// requests for these files.
func (r *Register) Fetch(ctx context.Context, address string, in Intake, client *http.Client) (Taken, error) {
	if err := CheckSource(address); err != nil {
		return Taken{}, err
	}

	if client == nil {
		client = new(outward.Way).Client(fetchTimeout, nil)
	}

	own := *client
	own.CheckRedirect = func(rq *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return fault.New(fault.Invalid, "inventory: the source redirects too often")
		}
		return CheckSource(rq.URL.String())
	}

	f := &fetcher{r: r, client: &own, left: maxFetched}
	list, err := f.list(ctx, address, 0)
	if err != nil {
		return Taken{}, err
	}

	var t Taken
	var states []state
	for _, doc := range list {
		if !strings.HasPrefix(path.Base(doc), in.Only) {
			continue
		}

		s, state, err := f.sealed(ctx, doc)
		switch {
		case ctx.Err() != nil:
			return t, ctx.Err()
		case err != nil:
			t.Refused = append(t.Refused, doc+": "+err.Error())
		case s == nil:
			t.Unchanged++
		default:
			before := len(t.Imported)
			t.take(s, in)
			if len(t.Imported) > before {
				states = append(states, state)
			}
		}
	}

	if err := r.store(ctx, &t); err != nil {
		return t, err
	}

	// Only what is stored is not asked for again.
	for _, state := range states {
		if err := f.remember(ctx, state); err != nil {
			return t, err
		}
	}
	return t, nil
}

// list finds the documents behind an address.
func (f *fetcher) list(ctx context.Context, address string, depth int) ([]string, error) {
	base := path.Base(address)
	switch {
	case depth > 3:
		return nil, fault.New(fault.Invalid, "inventory: the source points in circles")
	case strings.HasSuffix(address, "/"):
		if list, err := f.list(ctx, address+"index.txt", depth+1); err == nil {
			return list, nil
		}
		return f.list(ctx, address+"changes.csv", depth+1)
	case base == "index.txt", base == "changes.csv":
		b, err := f.get(ctx, address, maxIndex)
		if err != nil {
			return nil, err
		}
		return entries(address, b)
	case base == "provider-metadata.json":
		return f.provider(ctx, address, depth)
	case strings.Contains(base, "feed") && strings.HasSuffix(base, ".json"):
		return f.rolie(ctx, address)
	}
	return []string{address}, nil
}

// entries reads index.txt (a path a line) or changes.csv (path and date).
func entries(address string, b []byte) ([]string, error) {
	in := csv.NewReader(strings.NewReader(string(b)))
	in.FieldsPerRecord = -1
	in.LazyQuotes = true

	var out []string
	seen := map[string]bool{}
	for {
		row, err := in.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil || len(out) >= maxFiles {
			return nil, fault.Newf(fault.Invalid,
				"inventory: the list of the source is malformed, or names more than %d documents", maxFiles)
		}

		name := strings.TrimSpace(row[0])
		if !strings.HasSuffix(name, ".json") || seen[name] {
			continue
		}
		seen[name] = true

		doc, err := below(address, name)
		if err != nil {
			return nil, err
		}
		out = append(out, doc)
	}
}

// below resolves a reference of a list; it must stay at the host of the list.
func below(address, ref string) (string, error) {
	base, err := url.Parse(address)
	if err != nil {
		return "", fault.New(fault.Invalid, "inventory: the address of the source cannot be read")
	}

	u, err := base.Parse(ref)
	if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
		return "", fault.New(fault.Invalid, "inventory: the list of the source points to another host")
	}
	return u.String(), nil
}

func (f *fetcher) provider(ctx context.Context, address string, depth int) ([]string, error) {
	b, err := f.get(ctx, address, maxIndex)
	if err != nil {
		return nil, err
	}

	var meta struct {
		Distributions []struct {
			Directory string `json:"directory_url"`
			Rolie     struct {
				Feeds []struct {
					URL string `json:"url"`
				} `json:"feeds"`
			} `json:"rolie"`
		} `json:"distributions"`
	}

	if json.Unmarshal(b, &meta) != nil || len(meta.Distributions) == 0 || len(meta.Distributions) > 100 {
		return nil, fault.New(fault.Invalid, "inventory: the provider's metadata cannot be read")
	}

	var out []string
	for _, d := range meta.Distributions {
		if d.Directory != "" {
			if err := CheckSource(d.Directory); err != nil {
				return nil, err
			}
			list, err := f.list(ctx, strings.TrimSuffix(d.Directory, "/")+"/", depth+1)
			if err != nil {
				return nil, err
			}
			return list, nil // the folder has what the feeds have
		}

		for _, feed := range d.Rolie.Feeds {
			if err := CheckSource(feed.URL); err != nil {
				return nil, err
			}
			list, err := f.rolie(ctx, feed.URL)
			if err != nil {
				return nil, err
			}

			out = append(out, list...)
			if len(out) > maxFiles {
				return nil, fault.Newf(fault.TooLarge, "inventory: the source names more than %d documents", maxFiles)
			}
		}
	}
	return out, nil
}

// rolie lists the documents of a ROLIE feed of CSAF. One at another host than the
// feed makes the whole feed invalid.
func (f *fetcher) rolie(ctx context.Context, address string) ([]string, error) {
	b, err := f.get(ctx, address, maxIndex)
	if err != nil {
		return nil, err
	}

	var doc struct {
		Feed struct {
			Entry []struct {
				Content struct {
					Source string `json:"src"`
				} `json:"content"`
			} `json:"entry"`
		} `json:"feed"`
	}

	if json.Unmarshal(b, &doc) != nil || len(doc.Feed.Entry) > maxFiles {
		return nil, fault.New(fault.Invalid, "inventory: the feed of the source cannot be read")
	}

	var out []string
	for _, e := range doc.Feed.Entry {
		u, err := below(address, e.Content.Source)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// state is what is remembered of an answer.
type state struct{ url, etag, modified string }

// sealed fetches a document with what lies beside it; nil where it has not changed.
func (f *fetcher) sealed(ctx context.Context, address string) (*sealed, state, error) {
	known := state{url: address}
	err := f.r.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx,
			`SELECT etag, last_modified FROM advisory_fetch WHERE url = ?1`, address).Scan(&known.etag, &known.modified)
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, known, err
	}

	body, got, err := f.ask(ctx, known, advisory.MaxDocument)
	if err != nil || body == nil {
		return nil, got, err
	}

	s := &sealed{name: address, body: body}
	for _, part := range []struct {
		to     *[]byte
		suffix string
		most   int64
	}{
		{to: &s.sha256, suffix: ".sha256", most: 4096},
		{to: &s.sha512, suffix: ".sha512", most: 4096},
		{to: &s.signature, suffix: ".asc", most: 64 << 10},
	} {
		*part.to, err = f.get(ctx, address+part.suffix, part.most)
		if err != nil && fault.Of(err) != fault.NotFound {
			return nil, got, err
		}
	}
	return s, got, nil
}

func (f *fetcher) remember(ctx context.Context, s state) error {
	if s.etag == "" && s.modified == "" {
		return nil
	}

	return f.r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO advisory_fetch (url, etag, last_modified, fetched) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (url) DO UPDATE SET etag = ?2, last_modified = ?3, fetched = ?4`, s.url, s.etag, s.modified, db.Millis(f.r.now()))
		return err
	})
}

func (f *fetcher) get(ctx context.Context, address string, most int64) ([]byte, error) {
	b, _, err := f.ask(ctx, state{url: address}, most)
	return b, err
}

// ask sends one request. The body is nil where the answer is "not modified".
func (f *fetcher) ask(ctx context.Context, known state, most int64) ([]byte, state, error) {
	rq, err := http.NewRequestWithContext(ctx, http.MethodGet, known.url, nil)
	if err != nil {
		return nil, known, fault.New(fault.Invalid, "inventory: the address cannot be asked")
	}

	rq.Header.Set("User-Agent", "collimator")
	if known.etag != "" {
		rq.Header.Set("If-None-Match", known.etag)
	}
	if known.modified != "" {
		rq.Header.Set("If-Modified-Since", known.modified)
	}

	rs, err := f.client.Do(rq)
	if err != nil {
		return nil, known, unreached(err)
	}
	defer rs.Body.Close()

	switch {
	case rs.StatusCode == http.StatusNotModified:
		return nil, known, nil
	case rs.StatusCode == http.StatusNotFound || rs.StatusCode == http.StatusForbidden || rs.StatusCode == http.StatusGone:
		return nil, known, fault.New(fault.NotFound, fmt.Sprintf("inventory: the source answered %d", rs.StatusCode))
	case rs.StatusCode != http.StatusOK:
		return nil, known, fault.New(fault.Unavailable, fmt.Sprintf("inventory: the source answered %d", rs.StatusCode))
	}

	limit := min(most, f.left)
	b, err := io.ReadAll(io.LimitReader(rs.Body, limit+1))
	if err != nil {
		return nil, known, unreached(err)
	}
	f.left -= int64(len(b)) // of all that one source may send
	if int64(len(b)) > limit {
		return nil, known, fault.Newf(fault.TooLarge, "inventory: the answer is larger than %d bytes", limit)
	}

	if b == nil {
		b = []byte{}
	}
	got := state{url: known.url, etag: clipHeader(rs.Header.Get("ETag")), modified: clipHeader(rs.Header.Get("Last-Modified"))}
	return b, got, nil
}

func clipHeader(s string) string {
	if len(s) > 200 {
		return ""
	}
	return s
}

// unreached is a source that did not answer, in words for who asked.
func unreached(err error) error {
	reason := outward.Reason(err)
	if reason == "" {
		return fault.Wrap(fault.Unavailable, err, "inventory: fetch")
	}
	return fault.New(fault.Unavailable, "inventory: the source did not answer: "+reason)
}
