package house

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"collimator/internal/api"
	"collimator/internal/backup"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/outbox"
	"collimator/internal/policy"
	"collimator/internal/recovery"
	"collimator/internal/state"
)

// overseer tells the JSON API how the server runs.
type overseer struct{ s *Server }

var _ api.House = overseer{}

// States implements api.House.
func (o overseer) States() []state.State {
	all := o.s.States.All()
	slices.SortStableFunc(all, func(a, b state.State) int { return int(b.Level) - int(a.Level) })
	return all
}

// endingWithin is how long before its end a certificate is shown.
const endingWithin = 60 * 24 * time.Hour

// Overview implements api.House.
func (o overseer) Overview(ctx context.Context) (x api.Overview, err error) {
	in := o.s.in
	x.Disk.Free, x.Disk.Total = o.s.reserve.Space()

	made, err := backup.LoadRecord(in.Config.Data)
	if err != nil {
		return x, err
	}
	if made.Last != nil {
		x.Backup.Last, x.Backup.To = made.Last.Time, made.Last.To
	}
	if made.Rehearsed != nil {
		x.Backup.Rehearsed = made.Rehearsed.Time
	}
	key, err := recovery.Load(in.Config.Data)
	if err != nil {
		return x, err
	}
	x.Backup.Key = !key.Confirmed.IsZero()

	people, err := in.Registry.People(ctx)
	if err != nil {
		return x, err
	}
	for _, p := range people {
		if p.Role == policy.Administrator && p.Disabled.IsZero() {
			x.Administrators++
		}
	}

	devices, err := in.Registry.Devices(ctx)
	if err != nil {
		return x, err
	}
	x.Ending = o.ending(devices, time.Now())
	if x.Queues, err = outbox.Summaries(ctx, in.DB); x.Queues == nil {
		x.Queues = []outbox.Summary{}
	}
	x.Open = o.open(x)
	return x, err
}

// ending are the certificates and exceptions that end soon, the next first.
func (o overseer) ending(devices []*identity.Device, now time.Time) []api.Ending {
	list := []api.Ending{}
	add := func(what, of string, until time.Time) {
		if !until.IsZero() && until.Before(now.Add(endingWithin)) {
			list = append(list, api.Ending{What: what, Of: of, Until: until})
		}
	}
	for _, d := range devices {
		add("certificate", d.AETitle, lastsUntil(d))
		if d.Plaintext(now) {
			add("plaintext", d.AETitle, d.PlaintextUntil)
		}
		if d.WithoutCertificate(now) {
			add("no-certificate", d.AETitle, d.NoCertificateUntil)
		}
	}
	if c := o.s.FileCertificate; c != nil {
		if got, err := c.Get(); err == nil {
			add("web", o.s.in.Config.HTTP, got.Leaf.NotAfter)
		}
	}
	slices.SortFunc(list, func(a, b api.Ending) int { return a.Until.Compare(b.Until) })
	return list
}

// open is what is left to do before the archive is relied on.
func (o overseer) open(x api.Overview) []api.Point {
	c := o.s.in.Config
	own := c.TLS.Certificate != "" || len(c.TLS.ACME.Hosts) > 0
	data := " --data " + c.Data
	return []api.Point{
		{ID: "backup", Done: !x.Backup.Last.IsZero(), Do: "collimator backup /mnt/elsewhere" + data},
		{ID: "recovery-key", Done: x.Backup.Key, Do: "collimator recovery-key --out /media/usb/recovery.key" + data},
		{ID: "rehearsal", Done: !x.Backup.Rehearsed.IsZero(), Do: "collimator restore /mnt/elsewhere --rehearse" + data},
		{ID: "second-administrator", Done: x.Administrators > 1},
		{ID: "certificate", Done: own, Do: "tls.certificate and tls.key, or tls.acme.hosts, in the settings"},
		{ID: "alarms", Done: c.Alarms.Any(), Do: "collimator alarm test" + data},
		{ID: "network", Done: !onlyHere(c.DICOM), Do: "dicom and http in the settings"},
	}
}

// Sample implements api.House: the files of 'collimator sample'.
func (o overseer) Sample(kind string, images int) ([]byte, error) {
	if _, err := kindOf(kind); err != nil { // in the words of the command
		return nil, fault.New(fault.Invalid, "house: a study of this kind is not made here; 'collimator sample --help' lists them")
	}

	var b bytes.Buffer
	z := zip.NewWriter(&b)
	n := 0
	err := sampled(kind, images, uint64(time.Now().UnixNano()), func(name string, content []byte) error {
		n++
		w, err := z.Create("TEST/" + name)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("house: sample: %w", err)
	}
	return b.Bytes(), nil
}

// Settings implements api.House.
func (o overseer) Settings() (api.Settings, error) {
	c := o.s.in.Config
	list, err := c.List()
	x := api.Settings{File: c.From, Items: []api.Setting{}}
	for _, i := range list {
		x.Items = append(x.Items, api.Setting{Key: i.Key, Value: i.Value, Line: i.Line})
	}
	return x, err
}
