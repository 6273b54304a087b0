package webapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"collimator/internal/fault"
)

// AnyParameter stands among the parameters of a route that takes what others put
// there, as an identity provider does.
const AnyParameter = "*"

// known refuses a query that has parameters the route does not take, or one of
// them twice: who asks for a part must not take the whole for it.
func known(r *http.Request, parameters []string) error {
	if slices.Contains(parameters, AnyParameter) {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid,
			"webapi: the query is malformed; ; & % and + in values are written in percent-encoding")
	}

	var unknown []string
	for name, values := range query {
		switch {
		case !slices.Contains(parameters, name):
			unknown = append(unknown, clip(name))
		case len(values) > 1:
			return fault.New(fault.Invalid, "webapi: "+name+" stands twice in the query")
		}
	}
	if len(unknown) == 0 {
		return nil
	}

	slices.Sort(unknown)
	takes := "it takes none"
	if len(parameters) > 0 {
		takes = "it takes " + strings.Join(parameters, ", ")
	}
	first := unknown[:min(len(unknown), 5)]
	return fault.New(fault.Invalid, "webapi: this address takes no parameter "+strings.Join(first, ", ")+"; "+takes)
}

// clip shortens the name of a parameter for an answer, and leaves in it
// letters, digits, dashes and underscores alone.
func clip(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '?'
	}, name[:min(len(name), 40)])
}
