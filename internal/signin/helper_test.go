package signin

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// desk is where people sign in, with a door over a register of its own.
type desk struct {
	*Service
	*testing.T
	register *housetest.Register
	clock    *housetest.Clock
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	r, l := housetest.NewRegister(t), housetest.NewLog(t)
	g := guard.New(guard.Options{
		Registry: r.Registry,
		Trail:    r.Trail,
		Log:      slog.New(slog.NewTextHandler(l, nil)),
		Now:      r.Clock.Now,
	})
	return &desk{Service: New(g, Options{}), T: t, register: r, clock: r.Clock}
}

func (d *desk) person(name string, role policy.Role) { d.register.Person(d.T, name, role) }

func (d *desk) records() []audit.Record { return d.register.Records(d.T) }

// from sends one request from an address, with a cookie or none.
func (d *desk) from(a *webapi.API, ip, cookie, path string, body any) *httptest.ResponseRecorder {
	d.Helper()
	if cookie == "" {
		return housetest.Ask(d.T, a, ip, "POST", path, body)
	}
	return housetest.Ask(d.T, a, ip, "POST", path, body, "Cookie", guard.SessionCookie+"="+cookie)
}
