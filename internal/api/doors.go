package api

import (
	"context"
	"net"
	"strconv"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/gate/maintenance"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerDoors puts the routes about doors for maintenance on the guard's multiplexer:
// those by which they are opened and shut, and those of whom one was opened for.
func (s *Services) registerDoors(a *webapi.API) {
	a.Handle("GET /api/v1/gate/doors", policy.Doors, s.doors)
	a.Handle("POST /api/v1/gate/doors", policy.Doors, s.openDoor)
	a.Handle("DELETE /api/v1/gate/doors/{id}", policy.Doors, s.shutDoor)
	a.Handle("POST /api/v1/door", policy.Maintain, s.enterDoor)
	a.Handle("GET /api/v1/door", policy.Maintain, s.ownDoor)
	a.Handle("DELETE /api/v1/door", policy.Maintain, s.leaveDoor)
	a.Handle("GET /api/v1/door/connection", policy.Maintain, s.carryDoor)
	s.describeDoors(a)
	a.Proven("POST /api/v1/gate/doors", "POST /api/v1/door")
}

func (s *Services) doors(rq *webapi.Request) (any, error) {
	all, err := s.Doors.List(rq.Context())
	return webapi.NewList(all), err
}

// openedDoor is a door with its code.
type openedDoor struct {
	maintenance.Door
	Code string `json:"code"` // shown only now
}

// doorOrder is a door to be opened.
type doorOrder struct {
	Route     string `json:"route,omitempty"`
	To        string `json:"to,omitempty"`
	Elsewhere string `json:"elsewhere,omitempty"`
	For       string `json:"for"` // the person
	Minutes   int    `json:"minutes,omitempty"`
}

// doorCode is what a visitor was told.
type doorCode struct {
	Code string `json:"code"`
}

func (s *Services) openDoor(rq *webapi.Request) (any, error) {
	var in doorOrder
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	code, err := s.DoorCode()
	if err != nil {
		return nil, err
	}

	x, secret, err := s.Doors.Open(rq.Context(), maintenance.Order{
		Route: in.Route, To: in.To, Elsewhere: in.Elsewhere, Person: in.For, Minutes: in.Minutes, Opener: rq.Person().Name,
	}, s.noteDoor(rq, audit.Create))
	if err != nil {
		return nil, err
	}
	code.Secret = secret
	return openedDoor{x, code.String()}, nil
}

// noteDoor records now, or fails, what the caller does to a door.
func (s *Services) noteDoor(rq *webapi.Request, action audit.Action) func(context.Context, audit.Object) error {
	return func(ctx context.Context, o audit.Object) error {
		r := rq.Caller().Entry(audit.MaintenanceDoor, action, audit.Success, "")
		r.Objects = append(r.Objects, o)
		return s.Trail.Write(ctx, r)
	}
}

func (s *Services) shutDoor(rq *webapi.Request) (any, error) {
	number, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return nil, fault.New(fault.NotFound, "api: a door has a number")
	}
	_, err = s.Doors.Shut(rq.Context(), number, s.noteDoor(rq, audit.Delete))
	return nil, err
}

// visitor is who comes to a door: somebody who is signed in, and no token.
func (s *Services) visitor(rq *webapi.Request) (v maintenance.Visitor, err error) {
	if rq.ByToken() {
		return v, fault.New(fault.Denied, "api: a token goes through no door, only a person who is signed in")
	}
	session := rq.Caller().Session()
	return maintenance.Visitor{
		Person: rq.Person().Name, Session: session.ID, Method: session.Method, Address: rq.Address(), Entry: rq.Caller().Entry,
	}, nil
}

// ownedDoor is a door as whom it was opened for is told of it.
type ownedDoor struct {
	Number  int64     `json:"number"`
	Route   string    `json:"route"`
	Target  string    `json:"target"`
	Until   time.Time `json:"until"`
	Seconds int       `json:"secondsLeft"`
}

func owned(x maintenance.Door) ownedDoor {
	return ownedDoor{x.Number, x.Route, x.Target.String(), x.Until, int(time.Until(x.Until).Seconds())}
}

func (s *Services) enterDoor(rq *webapi.Request) (any, error) {
	v, err := s.visitor(rq)
	if err != nil {
		return nil, err
	}
	var in doorCode
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	x, err := s.EnterDoor(rq.Context(), v, in.Code)
	if err != nil {
		return nil, err
	}
	return owned(x), nil
}

func (s *Services) ownDoor(rq *webapi.Request) (any, error) {
	v, err := s.visitor(rq)
	if err != nil {
		return nil, err
	}
	x, err := s.Doors.Of(rq.Context(), v)
	if err != nil {
		return nil, err
	}
	return owned(x), nil
}

func (s *Services) leaveDoor(rq *webapi.Request) (any, error) {
	v, err := s.visitor(rq)
	if err != nil {
		return nil, err
	}
	return nil, s.Doors.Leave(rq.Context(), v)
}

// carryDoor makes a connection to the target of the request.
func (s *Services) carryDoor(rq *webapi.Request) (any, error) {
	v, err := s.visitor(rq)
	if err != nil {
		return nil, err
	}
	if err := rq.Upgrade(maintenance.Protocol); err != nil {
		return nil, err
	}

	c, err := s.Doors.Connect(rq.Context(), v)
	if err != nil {
		return nil, err
	}
	return &webapi.TakeOver{Protocol: maintenance.Protocol, Serve: func(conn net.Conn) { c.Carry(conn) }, Abandon: c.Abandon}, nil
}
