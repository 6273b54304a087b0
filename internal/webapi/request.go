package webapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
)

// bodyMost bounds the body of a request to the API, in bytes.
const bodyMost = 16 << 10

// Request is a request to the API on its way to a Handler.
type Request struct {
	api      *API
	route    *route
	w        http.ResponseWriter
	r        *http.Request
	caller   *guard.Caller // nil where the door did not let it through; has the account of the request
	known    *guard.Caller // at a route to sign in, whom the browser turned out to be; else nil
	answered bool
}

// Context ends with the request and carries who asks.
func (rq *Request) Context() context.Context { return rq.r.Context() }

// Path is a part of the path that the pattern names.
func (rq *Request) Path(name string) string { return rq.r.PathValue(name) }

// Query is a parameter of the query; empty where it is missing.
func (rq *Request) Query(name string) string { return rq.r.URL.Query().Get(name) }

// Number is a parameter of the query between least and most; standard where it
// is missing. Anything else is of kind Invalid.
func (rq *Request) Number(name string, standard, least, most int64) (int64, error) {
	text := rq.Query(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fault.Newf(fault.Invalid, "webapi: %s is a number from %d to %d", name, least, most)
	}
	return n, nil
}

// Caller is who asks; at a route to sign in a stranger, until Known says who it is.
func (rq *Request) Caller() *guard.Caller {
	if rq.known != nil {
		return rq.known
	}
	return rq.caller
}

// Known says at a route to sign in, which takes no credentials, whom the browser
// turned out to be. What the request may hold stays what a stranger may.
func (rq *Request) Known(c *guard.Caller) { rq.known = c }

// Person is who is signed in, or to whom the token belongs.
func (rq *Request) Person() *identity.PersonInfo { return rq.Caller().Person() }

// ByToken reports whether a token asks, and not somebody who is signed in.
func (rq *Request) ByToken() bool { return rq.Caller().Session() == nil }

// Address is the IP address from which the request came.
func (rq *Request) Address() string { return guard.RemoteAddress(rq.r) }

// HTTP is the request as it came, for handlers by which people sign in: its host
// and its cookies.
func (rq *Request) HTTP() *http.Request { return rq.r }

// Header is that of the answer.
func (rq *Request) Header() http.Header { return rq.w.Header() }

// SetCookie sets a cookie with the answer: for this host alone, by HTTPS alone,
// and out of the reach of scripts. A negative age takes it away.
func (rq *Request) SetCookie(name, value string, site http.SameSite, age int) {
	SetCookie(rq.w, name, value, site, age)
}

// SetCookie is Request.SetCookie for an answer that comes from outside of the API's handlers.
func SetCookie(w http.ResponseWriter, name, value string, site http.SameSite, age int) {
	http.SetCookie(w, &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     "/",
		Secure:   true,
		HttpOnly: true,
		SameSite: site,
		MaxAge:   age,
	})
}

// Record writes down what the caller changed.
func (rq *Request) Record(event audit.Event, action audit.Action, objects ...audit.Object) {
	r := rq.Caller().Entry(event, action, audit.Success, "")
	r.Objects = append(r.Objects, objects...)
	rq.api.door.Record(rq.Context(), r)
}

// Recordable is nil while what is shown can be recorded, or will be in time; else it
// is of fault.Unavailable.
func (rq *Request) Recordable() error { return rq.api.door.Keeper.Ready() }

// Read decodes the body, a JSON object of at most 16 KiB. Unknown fields are
// refused, and so is another media type: no form of a web page can send it.
func (rq *Request) Read(to any) error {
	if err := rq.route.wantBody(to); err != nil {
		return err
	}
	b, err := rq.Body()
	if err != nil {
		return err
	}

	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if dec.Decode(to) != nil || dec.Decode(new(any)) != io.EOF {
		return fault.New(fault.Invalid,
			"webapi: the body is not the JSON object that belongs here; docs/api.md has the fields")
	}
	return nil
}

// Body is the body as it came, JSON of at most 16 KiB.
func (rq *Request) Body() ([]byte, error) {
	if t, _, err := mime.ParseMediaType(rq.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, errMediaType
	}

	b, err := io.ReadAll(http.MaxBytesReader(rq.w, rq.r.Body, bodyMost))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, fault.Newf(fault.TooLarge, "webapi: a body has at most %d bytes", bodyMost)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "webapi: the body did not arrive whole")
	}
	return b, nil
}

// Form reads a body of application/x-www-form-urlencoded of at most 16 KiB, which
// programs of others send.
func (rq *Request) Form() (url.Values, error) {
	rq.r.Body = http.MaxBytesReader(rq.w, rq.r.Body, bodyMost)
	if rq.r.ParseForm() != nil { // its error quotes what came
		return nil, fault.New(fault.Invalid, "webapi: the body is not a form")
	}
	return rq.r.PostForm, nil
}
