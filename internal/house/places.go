package house

import (
	"context"
	"log/slog"
	"net/netip"
	"syscall"
	"time"

	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/places"
)

// Places for connections. Those for strangers are few on purpose: who is admitted
// has them for a moment.
const (
	strangerPlaces = 64
	knownPlaces    = 64
	webPlaces      = 512
	webRequests    = 1024 // that are answered at a time, on whatever connections
	webStreams     = 64   // of one connection of HTTP/2
	plainPlaces    = 64
	// ownDescriptors are kept for files, the index and connections that the
	// server opens itself.
	ownDescriptors = 256
)

// rooms makes the places at each door, fewer where the process may not have so
// many descriptors: no door can take those of another.
func rooms(l config.Limits, log *slog.Logger) guard.Rooms {
	dicom := places.Limits{
		Strangers: strangerPlaces, Known: knownPlaces, StrangersPerAddress: strangerPlaces,
		Admitted: l.Associations, AdmittedPerAddress: l.AssociationsPerAddress, FirstByte: 3 * time.Second, Ask: 12 * time.Second,
	}
	plain := dicom
	plain.Admitted = min(plainPlaces, l.Associations)
	web := dicom
	web.Admitted = webPlaces
	web.AdmittedPerAddress = webPlaces / 2

	need := uint64(dicom.Total() + plain.Total() + web.Total() + ownDescriptors)
	if have := descriptors(); have < need {
		log.Warn("few descriptors: fewer connections are taken; raise LimitNOFILE or ulimit -n", "have", have, "enough", need)
		share := float64(max(have, ownDescriptors)-ownDescriptors/2) / float64(need)
		for _, lim := range []*places.Limits{&dicom, &plain, &web} {
			lim.Strangers = scaled(lim.Strangers, share)
			lim.Known = scaled(lim.Known, share)
			lim.Admitted = scaled(lim.Admitted, share)
			lim.AdmittedPerAddress = scaled(lim.AdmittedPerAddress, share)
		}
	}
	return guard.Rooms{DICOM: places.New(dicom), Plain: places.New(plain), Web: places.New(web)}
}

func scaled(n int, share float64) int { return max(4, int(float64(n)*share)) }

// descriptors is how many files and connections the process may have open.
func descriptors() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	return uint64(l.Cur)
}

// rememberAddresses makes those addresses known that have places of their own: of
// registered devices, and from where somebody is signed in.
func (s *Server) rememberAddresses(ctx context.Context) {
	s.rememberDevices(ctx)
	if err := s.Guard.RememberSignIns(ctx); err != nil {
		s.log.Error("addresses of sessions not read", "error", err)
	}
}

// rememberEvery is how often the register of devices is read for their addresses:
// one that calls once a month is not forgotten, and one that is new becomes known.
const rememberEvery = time.Hour

// keepAddresses makes addresses known again and again until ctx ends.
func (s *Server) keepAddresses(ctx context.Context) {
	tick := time.NewTicker(rememberEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.rememberDevices(ctx)
		}
	}
}

// rememberDevices makes the addresses of registered devices known.
func (s *Server) rememberDevices(ctx context.Context) {
	rooms := s.Guard.Rooms
	devices, err := s.in.Registry.Devices(ctx)
	if err != nil {
		s.log.Error("addresses of devices not read", "error", err)
		return
	}

	for _, d := range devices {
		if ip, err := netip.ParseAddr(d.Address); err == nil {
			rooms.DICOM.Remember(ip)
			rooms.Plain.Remember(ip)
		}
	}
}
