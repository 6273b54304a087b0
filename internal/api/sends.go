package api

import (
	"slices"
	"strconv"

	"collimator/dicom/uid"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerSends puts the routes by which studies are sent to devices on the guard's multiplexer. Who may send is judged about
// the study; a person to whom single studies were granted sees how it goes with those.
func (s *Services) registerSends(a *webapi.API) {
	a.Handle("POST /api/v1/studies/{uid}/send", policy.Retrieve, s.sendStudy)
	a.OfStudy("POST /api/v1/studies/{uid}/send")
	a.Handle("GET /api/v1/sends", policy.Query, s.sends)
	a.Handle("GET /api/v1/sends/{id}", policy.Query, s.send)
	a.Handle("DELETE /api/v1/sends/{id}", policy.Query, s.stopSend)
	a.Handle("GET /api/v1/destinations", policy.Retrieve, s.destinations)
	a.Holds(listBytes, "POST /api/v1/studies/{uid}/send", "GET /api/v1/destinations")
	a.Describe(map[string]webapi.Doc{
		"POST /api/v1/studies/{uid}/send": webapi.Does("Begin to send a study, or series of it, to a registered device").
			Takes(sendOrder{}).Gives(Send{}),
		"GET /api/v1/sends": webapi.
			Does("List what was sent to devices since the server was started, the newest first: one's own, of an administrator all").
			Gives(webapi.List[Send]{}),
		"GET /api/v1/sends/{id}":    webapi.Does("Show how far a sending is").Gives(Send{}),
		"DELETE /api/v1/sends/{id}": webapi.Does("Stop a sending").GivesNothing(),
		"GET /api/v1/destinations": webapi.Does("List the registered devices to which studies can be sent").
			Gives(webapi.List[destination]{}),
	})
}

// sendOrder is what of a study is sent where.
type sendOrder struct {
	To     string   `json:"to"`               // AE title of a registered device
	Series []string `json:"series,omitempty"` // missing: all of the study
}

// destination is a registered device that accepts associations.
type destination struct {
	AETitle string `json:"aeTitle"`
}

func (s *Services) sendStudy(rq *webapi.Request) (any, error) {
	u, err := studyOf(rq)
	if err != nil {
		return nil, err
	}
	if err := s.Sends.MaySend(rq, u, ""); err != nil { // whoever may not is told nothing of what would be wrong
		return nil, err
	}

	var in sendOrder
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if err := validAE(in.To); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(in.Series, func(x string) bool { return !uid.Tolerable(x) }) {
		return nil, fault.New(fault.Invalid, "api: series are Series Instance UIDs")
	}
	return s.Sends.Begin(rq.Context(), rq.Caller(), Send{Study: u, Series: in.Series, To: in.To})
}

// seenSends are those that the caller may know of: a token for one study hears of no other.
func (s *Services) seenSends(rq *webapi.Request) []Send {
	scope := guard.Scope(rq.Context())
	return slices.DeleteFunc(s.Sends.All(rq.Person()), func(x Send) bool { return !scope.Holds(x.Study) })
}

func (s *Services) sends(rq *webapi.Request) (any, error) {
	return webapi.NewList(s.seenSends(rq)), nil
}

func (s *Services) send(rq *webapi.Request) (any, error) { return s.oneSend(rq) }

func (s *Services) oneSend(rq *webapi.Request) (Send, error) {
	id, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return Send{}, errNoSuchSend
	}
	for _, x := range s.seenSends(rq) {
		if x.ID == id {
			return x, nil
		}
	}
	return Send{}, errNoSuchSend
}

// stopSend stops a sending: who may begin it may stop it.
func (s *Services) stopSend(rq *webapi.Request) (any, error) {
	x, err := s.oneSend(rq)
	if err != nil {
		return nil, err
	}
	if err := s.Sends.MaySend(rq, x.Study, x.To); err != nil {
		return nil, err
	}
	s.Sends.Stop(x.ID)
	return nil, nil
}

func (s *Services) destinations(rq *webapi.Request) (any, error) {
	devices, err := s.Registry.Devices(rq.Context())
	if err != nil {
		return nil, err
	}
	list := []destination{}
	for _, d := range devices {
		if d.Listen != "" {
			list = append(list, destination{d.AETitle})
		}
	}
	return webapi.NewList(list), nil
}
