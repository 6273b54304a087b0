package api

import (
	"time"

	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerDevice puts the route about one device on the guard's multiplexer.
func (s *Services) registerDevice(a *webapi.API) {
	a.Handle("GET /api/v1/devices/{aet}", policy.Devices, s.device)
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/devices/{aet}": webapi.Does("Show a device with what it stored, and when it was last let in").Gives(deviceDetail{}),
	})
}

// deviceDetail is a device with what is known of it.
type deviceDetail struct {
	*identity.Device
	LastSeen *time.Time `json:"lastSeen,omitempty"` // let in, since the server was started
	Stored   stored     `json:"stored"`
}

// stored is what came from a device: whole studies, where others sent to the same ones too.
type stored struct {
	Studies   int64      `json:"studies"`
	Instances int64      `json:"instances"`
	Bytes     int64      `json:"bytes"`
	Last      *time.Time `json:"last,omitempty"`    // when one of them last grew
	AtLeast   bool       `json:"atLeast,omitempty"` // there are more: the newest were added up
}

func (s *Services) device(rq *webapi.Request) (any, error) {
	d, err := s.Registry.Device(rq.Context(), rq.Path("aet"))
	if err != nil {
		return nil, err
	}
	v, err := s.Archive.Volume(rq.Context(), d.AETitle)
	if err != nil {
		return nil, err
	}

	x := deviceDetail{Device: d, Stored: stored{Studies: v.Studies, Instances: v.Instances, Bytes: v.Bytes, AtLeast: v.AtLeast}}
	if !v.Last.IsZero() {
		x.Stored.Last = &v.Last
	}
	if at := s.LastAdmitted(d.AETitle); !at.IsZero() {
		x.LastSeen = &at
	}
	return x, nil
}
