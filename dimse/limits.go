package dimse

import (
	"time"

	"collimator/dimse/ul"
)

// Limits bound what a peer can use up. A zero field takes the default named with it.
type Limits struct {
	// Connections is the most connections a Server holds at a time; default 512.
	Connections int
	// ConnectionsPerAddress is the most from one address; default 64.
	ConnectionsPerAddress int
	// ConnectionRate is how many new connections a second one address may open,
	// on average; default 200. Twice as many may come at once.
	ConnectionRate int
	// ARTIM is the time from accepting a connection to the complete
	// A-ASSOCIATE-RQ, absolute, TLS handshake included, and the time a peer has
	// to close at the end (PS3.8 9.1.5); default 10 s.
	ARTIM time.Duration
	// Admit is the time Server.Admit may take; default 30 s.
	Admit time.Duration
	// Idle is how long an association may be without a message; default 10 min.
	Idle time.Duration
	// Rate is the least bytes a second a peer has to send within a message, over
	// RateWindow, and to take of what is sent to it, over the longer of RateWindow and Write;
	// defaults 1024 and 60 s. Time the local handler takes does not count.
	Rate       int64
	RateWindow time.Duration
	// Write is how long one write to the peer may take; default 60 s.
	Write time.Duration
	// Response is how long a requestor waits for the next response; default 10 min.
	Response time.Duration
	// CommandSet is the longest command set in bytes; default 64 KiB.
	CommandSet int
	// Identifier is the longest data set other than of C-STORE in bytes, as it
	// comes and after inflation; default 4 MiB.
	Identifier int64
	// Reply is the longest data set of a response in bytes, as it comes and after
	// inflation; default that of Identifier.
	Reply int64
	// DataSet is the longest data set of C-STORE in bytes; default 64 GiB.
	DataSet int64
	// ReceivePDU is the maximum length we announce, in bytes; default 256 KiB.
	ReceivePDU uint32
	// SendPDU is the longest P-DATA-TF we send, in bytes, whatever the peer would take; default 256 KiB.
	SendPDU uint32
	// Window is the most operations a peer may have outstanding, whatever was negotiated; default 16.
	Window int
	// Associate bounds association PDUs.
	Associate ul.Limits
}

func (l Limits) withDefaults() Limits {
	l.Connections = positive(l.Connections, 512)
	l.ConnectionsPerAddress = positive(l.ConnectionsPerAddress, 64)
	l.ConnectionRate = positive(l.ConnectionRate, 200)
	l.ARTIM = positive(l.ARTIM, 10*time.Second)
	l.Admit = positive(l.Admit, 30*time.Second)
	l.Idle = positive(l.Idle, 10*time.Minute)
	l.Rate = positive(l.Rate, 1024)
	l.RateWindow = positive(l.RateWindow, time.Minute)
	l.Write = positive(l.Write, time.Minute)
	l.Response = positive(l.Response, 10*time.Minute)
	l.CommandSet = positive(l.CommandSet, 64<<10)
	l.Identifier = positive(l.Identifier, 4<<20)
	l.Reply = positive(l.Reply, l.Identifier)
	l.DataSet = positive(l.DataSet, 64<<30)
	l.ReceivePDU = max(positive(l.ReceivePDU, 256<<10), 4096)
	l.SendPDU = max(positive(l.SendPDU, 256<<10), 128)
	l.Window = positive(l.Window, 16)
	l.Associate.PDataPDU = l.ReceivePDU
	return l
}

func positive[T int | int64 | uint32 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
