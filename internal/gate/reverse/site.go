package reverse

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"collimator/internal/httpsec"
	"collimator/internal/patch"
	"collimator/internal/places"
	"collimator/internal/upstream"
)

// Bounds of a listener.
const (
	streamsMost    = 100 // of one connection of HTTP/2
	requestsInMost = 1024
	headerMost     = 32 << 10 // bytes
	waitingMost    = 256      // requests that wait for the system behind
	turnMost       = 30 * time.Second
)

// rooms are the places of one listener: strangers keep nobody out who was let in before.
func rooms() places.Limits {
	return places.Limits{
		Strangers: 128, Known: 128, StrangersPerAddress: 32, Admitted: 512, AdmittedPerAddress: 128,
		FirstByte: 10 * time.Second, Ask: time.Minute,
	}
}

// site is the pages of one route, as its block says it; another block is another site.
type site struct {
	Route
	s         *Server
	judge     *judge
	patches   *patch.Set
	turns     *upstream.Turns
	to        *url.URL
	origin    string // At as browsers write it
	host      string // that of it, with its port, by which browsers come
	transport *http.Transport
	visits    *visits
	room      *places.Room
	ln        net.Listener
	http      *http.Server
	ended     context.Context
	end       context.CancelFunc
	going     sync.WaitGroup
	// Names of its cookies.
	visitCookie, nonceCookie string

	unwell atomic.Bool // the system behind was not reached, or does not take the password
}

// serve has a route at a listener until Close.
func (s *Server) serve(r Route, patches *patch.Set, transport *http.Transport, config *tls.Config, ln net.Listener) *site {
	to, _ := originOf(r.To) // the block was checked
	at, _ := originOf(r.At)
	x := &site{
		Route: r, s: s, judge: newJudge(&r.Block), patches: patches, to: to, origin: at.String(), host: at.Host, transport: transport,
		turns: upstream.NewTurns(r.requests(), waitingMost, turnMost), visits: newVisits(s.Now), room: places.New(rooms()),
	}
	_, port, _ := net.SplitHostPort(hostPort(x.origin))
	x.visitCookie, x.nonceCookie = visitPrefix+port, noncePrefix+port
	x.ended, x.end = context.WithCancel(context.Background())
	x.ln = x.room.Listen(ln)

	pace := httpsec.Pace{}
	handler := httpsec.Foreign.Wrap(pace.Wrap(s.Door.Cuttable(http.HandlerFunc(x.request))))
	x.http = &http.Server{
		ConnState:                    x.room.ConnState,
		ConnContext:                  pace.ConnContext,
		BaseContext:                  func(net.Listener) context.Context { return x.ended },
		Handler:                      places.NewRequests(requestsInMost).Bound(handler, http.HandlerFunc(httpsec.Busy)),
		TLSConfig:                    config,
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  time.Minute,
		WriteTimeout:                 time.Minute,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               headerMost,
		DisableGeneralOptionsHandler: true,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: streamsMost},
		ErrorLog:                     log.New(io.Discard, "", 0), // it quotes what strangers send
	}
	x.going.Go(func() { _ = x.http.ServeTLS(x.ln, "", "") }) // it ends when it is closed
	return x
}

// Close ends the listener, what came through it, and who was signed in.
func (x *site) Close() {
	x.end()
	x.http.Close()
	x.going.Wait()
	x.transport.CloseIdleConnections()
}
