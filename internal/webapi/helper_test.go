package webapi

import (
	"log/slog"
	"testing"

	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/policy"
)

// desk is a guard over a register of its own.
type desk struct {
	*guard.Guard
	*testing.T
	register *housetest.Register
	log      *housetest.Log
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
	return &desk{Guard: g, T: t, register: r, log: l}
}

func (d *desk) person(name string, role policy.Role) { d.register.Person(d.T, name, role) }
