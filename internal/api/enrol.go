package api

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"time"

	"collimator/internal/audit"
	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerDevices puts the routes about devices on the guard's multiplexer.
func (s *Services) registerDevices(a *webapi.API) {
	a.Handle("GET /api/v1/devices", policy.Devices, s.devices)
	a.Handle("POST /api/v1/devices", policy.Devices, s.enrol)
	a.Handle("PATCH /api/v1/devices/{aet}", policy.Devices, s.changeDevice)
	a.Handle("DELETE /api/v1/devices/{aet}", policy.Devices, s.removeDevice)
	a.Handle("POST /api/v1/devices/{aet}/certificate", policy.Devices, s.renew)
	a.Handle("POST /api/v1/devices/{aet}/echo", policy.Devices, s.echo)
	a.Handle("GET /api/v1/devices/pending", policy.Devices, s.pending)
	a.Handle("POST /api/v1/devices/pending/{id}/approve", policy.Devices, s.approve)
	a.Handle("DELETE /api/v1/devices/pending/{id}", policy.Devices, s.forget)
	a.Handle("GET /api/v1/connection", policy.Devices, s.connection)

	a.Proven("POST /api/v1/devices", "PATCH /api/v1/devices/{aet}", "DELETE /api/v1/devices/{aet}",
		"POST /api/v1/devices/{aet}/certificate", "POST /api/v1/devices/pending/{id}/approve")
	a.Holds(listBytes, "GET /api/v1/devices", "GET /api/v1/devices/pending")
	s.describeDevices(a)
}

func (s *Services) describeDevices(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/devices": webapi.Does("List the registered devices").Gives(webapi.List[*identity.Device]{}),
		"POST /api/v1/devices": webapi.Does("Register a device, and make its certificate").
			Takes(newDevice{}).Gives(enrolled{}),
		"PATCH /api/v1/devices/{aet}": webapi.Does("Change what a device may do").
			Takes(deviceChange{}).Gives(identity.Device{}),
		"DELETE /api/v1/devices/{aet}": webapi.Does("Take a device out; what it stored stays").GivesNothing(),
		"POST /api/v1/devices/{aet}/certificate": webapi.Does("Make a new certificate for a device").
			Takes(renewal{}).Gives(enrolled{}),
		"POST /api/v1/devices/{aet}/echo": webapi.Does("Send a C-ECHO to where a device accepts associations").Gives(Echo{}),
		"GET /api/v1/devices/pending": webapi.Does("List the callers that were refused because nobody knows them").
			Gives(webapi.List[identity.Pending]{}),
		"POST /api/v1/devices/pending/{id}/approve": webapi.Does("Register a refused caller as a device").
			Takes(approval{}).Gives(identity.Device{}),
		"DELETE /api/v1/devices/pending/{id}": webapi.Does("Forget a refused caller, until they call again").GivesNothing(),
		"GET /api/v1/connection": webapi.Does("Say what is typed into a device so that it finds this archive").
			Gives(Connection{}),
	})
}

func (s *Services) desk() enrolment.Desk {
	return enrolment.Desk{Registry: s.Registry, Authority: s.Authority}
}

// Days for which the certificate of a device is valid.
const (
	certificateDays     = 730
	certificateDaysMost = 3650
)

// newDevice is a device to be registered.
type newDevice struct {
	grant
	AETitle     string `json:"aeTitle"`
	Certificate string `json:"certificate,omitempty"` // PEM, where the device has one already
	Days        int    `json:"days,omitempty"`        // for which a new certificate is valid; 730 without it
}

// deviceFiles are what is to be carried to a device, in PEM. The key is shown only now.
type deviceFiles struct {
	Key         string `json:"key"`
	Certificate string `json:"certificate"`
	Authority   string `json:"authority"` // by which the device knows this archive
}

// enrolled is a device that was registered.
type enrolled struct {
	Device *identity.Device `json:"device"`
	Files  *deviceFiles     `json:"files,omitempty"` // missing where the device needs no certificate of ours
}

// enrol registers a device, and makes its key and certificate unless it has one or is let in without.
func (s *Services) enrol(rq *webapi.Request) (any, error) {
	var in newDevice
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	d, err := in.entry().Device(in.AETitle)
	if err != nil {
		return nil, err
	}
	if err := s.desk().Free(rq.Context(), d.AETitle); err != nil {
		return nil, err
	}

	cert, files, err := s.certificateOf(d, in)
	if err != nil {
		return nil, err
	}
	if err := s.desk().Add(rq.Context(), d, cert, false); err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Create, enrolment.Words(d, "added"))

	now, err := s.Registry.Device(rq.Context(), d.AETitle)
	return enrolled{now, files}, err
}

// certificateOf reads the certificate that came along, or makes one. A device with an exception
// needs none.
func (s *Services) certificateOf(d identity.Device, in newDevice) (*x509.Certificate, *deviceFiles, error) {
	if in.Certificate != "" {
		cert, err := identity.ParseCertificate([]byte(in.Certificate))
		return cert, nil, err
	}
	now := time.Now()
	if d.Plaintext(now) || d.WithoutCertificate(now) {
		return nil, nil, nil
	}
	return s.issue(d, in.Days)
}

func (s *Services) issue(d identity.Device, days int) (*x509.Certificate, *deviceFiles, error) {
	if days == 0 {
		days = certificateDays
	}
	if days < 1 || days > certificateDaysMost {
		return nil, nil, fault.Newf(fault.Invalid, "api: days is a number from 1 to %d", certificateDaysMost)
	}
	x, err := s.desk().Issue(d, days)
	if err != nil {
		return nil, nil, err
	}
	return x.Certificate, &deviceFiles{string(x.KeyPEM), string(x.CertPEM), string(s.Authority.CertPEM())}, nil
}

// renewal is a new certificate for a device.
type renewal struct {
	Days   int  `json:"days,omitempty"`
	Revoke bool `json:"revoke,omitempty"` // ends the earlier certificates at once
}

func (s *Services) renew(rq *webapi.Request) (any, error) {
	var in renewal
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	d, err := s.Registry.Device(rq.Context(), rq.Path("aet"))
	if err != nil {
		return nil, err
	}

	cert, files, err := s.issue(*d, in.Days)
	if err != nil {
		return nil, err
	}
	detail, err := s.desk().Renewed(rq.Context(), d.AETitle, cert, in.Revoke)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Update, enrolment.Words(*d, detail))

	now, err := s.Registry.Device(rq.Context(), d.AETitle)
	return enrolled{now, files}, err
}

// deviceChange changes a device; what is missing stays.
type deviceChange struct {
	Allow              *[]string `json:"allow,omitempty"`
	Address            *string   `json:"address,omitempty"`
	Listen             *string   `json:"listen,omitempty"`
	MoveTo             *[]string `json:"moveTo,omitempty"`
	PlaintextUntil     *string   `json:"plaintextUntil,omitempty"` // empty ends the exception
	NoCertificateUntil *string   `json:"noCertificateUntil,omitempty"`
}

func (c deviceChange) changed() enrolment.Changed {
	x := enrolment.Changed{
		Allow: joined(c.Allow), Address: c.Address, Listen: c.Listen, MoveTo: c.MoveTo, NoCertificateUntil: c.NoCertificateUntil,
	}
	if c.PlaintextUntil != nil {
		x.Plaintext, x.Until, x.OnlyTLS = *c.PlaintextUntil != "", *c.PlaintextUntil, *c.PlaintextUntil == ""
	}
	return x
}

func (s *Services) changeDevice(rq *webapi.Request) (any, error) {
	var in deviceChange
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	d, _, err := s.desk().Change(rq.Context(), rq.Path("aet"), in.changed())
	if err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Update, enrolment.Words(d, "changed"))
	return s.Registry.Device(rq.Context(), d.AETitle)
}

func (s *Services) removeDevice(rq *webapi.Request) (any, error) {
	aet := rq.Path("aet")
	if err := s.Registry.Remove(rq.Context(), aet); err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Delete, enrolment.Words(identity.Device{AETitle: aet}, "removed"))
	return nil, nil
}

// Connection is what is typed into a device so that it finds this archive.
type Connection struct {
	AETitle    string   `json:"aeTitle"`
	Hosts      []string `json:"hosts"` // by which the certificate of the server knows it
	TLS        string   `json:"tls"`   // host and port, as in the settings
	Plain      string   `json:"plain,omitempty"`
	DICOMweb   string   `json:"dicomweb"`
	Authority  string   `json:"authority"` // PEM
	Thumbprint string   `json:"authoritySHA256"`
}

func (s *Services) connection(*webapi.Request) (any, error) {
	c := s.Connection
	c.Authority = string(s.Authority.CertPEM())
	if block, _ := pem.Decode(s.Authority.CertPEM()); block != nil {
		sum := sha256.Sum256(block.Bytes)
		c.Thumbprint = hex.EncodeToString(sum[:])
	}
	return c, nil
}
