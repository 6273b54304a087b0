package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"collimator/internal/gate/kind"
)

// checkWeb fails where the pages of the system behind cannot be as they are said to be.
func (r *Route) checkWeb() error {
	if r.Web == nil {
		return nil
	}
	if !Addressable(r.Name) {
		return errors.New("web: the name of the route is a part of addresses then: take letters, digits, -, _ and . alone")
	}
	if err := r.Web.Check(); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

// explainWeb says who sees the pages of the system behind.
func explainWeb(e *Explanation, r Route, h House) {
	if r.Web == nil {
		return
	}
	r.Web.Explain(e)
	if slices.Contains(h.Hosts, strings.ToLower(r.Web.Host())) {
		e.Remark(kind.Unsafe, "%s is the host of this server's own pages, too, and cookies do not tell ports apart: "+
			"give the pages of %s a host name of their own (at)", r.Web.Host(), r.Name)
	}
}
