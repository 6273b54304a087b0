package demo

import (
	"fmt"
	"time"

	"collimator/internal/phrase"
)

// tour prints what there is to be seen, in ten steps.
func (h *hospital) tour(link string) {
	w := h.Out
	say := func(format string, a ...any) { fmt.Fprintf(w, format+"\n", a...) }
	pacs := "Debian's Orthanc, set to answer everybody (" + h.behind.web + ")"
	if h.behind.web == "" {
		pacs = "a stand-in of this program that takes everything and keeps nothing (Orthanc is not installed)"
	}
	data := h.in.Config.Data

	say("A hospital on this machine, for %s. Nobody in it is real, and nothing of it stays.", inWords(h.For))
	say("  archive      DICOM (TLS) %s, AE title %s", h.at.DICOM, h.in.Config.AE)
	say("  old PACS     %s at %s, behind the gate as %s", pacsTitle, h.behind.address, route)
	say("               it is %s", pacs)
	say("  modalities   CT1, MR1 and US1 send a study each %s, to the archive and through the gate", inWords(h.Pause))
	say("  data         %s", data)
	say("")
	say("Ten things to see. The browser warns of the certificate, which this archive has made for itself.")
	for n, step := range []string{
		"Become the first administrator:\n     " + link,
		"Studies: they come in while you look. Open one: series, tags, who saw it, the proof.",
		"Open an image: in the viewer, or on the light page that a telephone shows.",
		"Devices: XR9 called and was refused. Compare its fingerprint, and approve it.",
		"Attack surface: the scan found the old PACS, which asks nobody who they are. Each issue has its fix.",
		"Gate: the route " + route + " lets CT1, MR1 and US1 send to that PACS, and nobody else do anything.",
		"Share a study by a link with a password, and open it in a private window.",
		"Audit log: all of this, who and when. Let the log prove that nothing was changed.",
		"Send something yourself:\n     collimator send " + h.in.Config.AE + "@" + h.at.DICOM.String() + " FILES --as " + h.keysOf("CT1"),
		"Ask who may do what and what is wrong:\n     collimator doctor --data " + data,
	} {
		say("%3d. %s", n+1, step)
	}
	say("")
	say("Stop with Ctrl-C; all of it goes away.")
}

// inWords is a duration in the largest unit that fits: 1 hour, 90 minutes, 30 seconds.
func inWords(d time.Duration) string {
	for _, u := range []struct {
		of        time.Duration
		one, many string
	}{{time.Hour, "hour", "hours"}, {time.Minute, "minute", "minutes"}} {
		if d >= u.of && d%u.of == 0 {
			return phrase.Count(int(d/u.of), u.one, u.many)
		}
	}
	return phrase.Count(int(d/time.Second), "second", "seconds")
}
