package audit

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/outward"
	"collimator/internal/registers"
	"collimator/internal/state"
)

// Repository sends the trail to an audit record repository (IHE ITI-20) over a
// connection of syslog over TLS (RFC 5425 4.3). Every record is sent at least
// once, in order, over restarts and outages: what a connection took shortly
// before it broke is sent again on the next one. Run is for one goroutine.
type Repository struct {
	Trail  *Trail
	DB     *db.DB
	Name   string // host:port, under which progress is kept
	Origin Origin
	Dial   func(context.Context) (net.Conn, error)
	Log    *slog.Logger
	// States is told whether the repository is reached; nil is told nothing.
	States *state.Register
}

// Times of a Repository.
const (
	repositoryPoll  = time.Second     // how often new records are looked for
	repositoryRetry = 5 * time.Second // wait after the first failure; doubles
	repositoryMost  = 5 * time.Minute // longest wait
	repositoryWrite = 30 * time.Second
)

// Run sends records until ctx ends. A connection that fails is made again after a
// pause, which doubles up to repositoryMost; the records wait meanwhile.
func (p *Repository) Run(ctx context.Context) {
	wait := repositoryRetry
	for ctx.Err() == nil {
		start := time.Now()
		err := p.connected(ctx)
		if ctx.Err() != nil {
			return
		}

		if time.Since(start) > repositoryMost {
			wait = repositoryRetry
		}
		why := plainError(err)
		p.States.Degraded(StateRepository, "the audit repository is not reached, and records wait: "+why,
			"see audit.repository in the settings, and the log; nothing is lost meanwhile")
		p.Log.Warn("audit repository not reached; the records wait", "repository", p.Name, "again", wait, "error", why)

		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}

		wait = min(wait*2, repositoryMost)
	}
}

// StateRepository is the name under which a Repository registers its state.
const StateRepository = "audit.repository"

// plainError drops what a peer can put into an error.
func plainError(err error) string {
	if reason := outward.Reason(err); reason != "" {
		return reason
	}
	return fault.Text(err)
}

// connected sends over one connection until it breaks or ctx ends.
func (p *Repository) connected(ctx context.Context) error {
	conn, err := p.Dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()

	gone := make(chan error, 1)
	go func() { gone <- untilClosed(conn) }()

	at, err := p.delivered(ctx)
	if err != nil {
		return err
	}

	d := delivery{sent: at, counted: at}
	for {
		more, err := p.send(ctx, conn, &d)
		if err != nil {
			return err
		}

		if at, ok := d.settle(time.Now()); ok {
			if err := p.count(ctx, at); err != nil {
				return err
			}
			p.States.Well(StateRepository, "records arrive")
		}

		if more {
			continue
		}

		select {
		case err := <-gone:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(repositoryPoll):
		}
	}
}

// untilClosed reads, which a repository never answers, until the peer ends the
// connection.
func untilClosed(conn net.Conn) error {
	if _, err := io.Copy(io.Discard, io.LimitReader(conn, 1<<20)); err != nil {
		return err
	}
	return fault.New(fault.Unavailable, "audit: the repository ended the connection")
}

// delivery is what one connection took.
type delivery struct {
	sent    int64 // last sequence number that was written
	counted int64 // last one that counts as delivered
	marks   []mark
}

// mark says that up to at everything was written at a time.
type mark struct {
	at   int64
	time time.Time
}

// settle is the newest sequence number that was written long enough ago.
func (d *delivery) settle(now time.Time) (at int64, ok bool) {
	for len(d.marks) > 0 && now.Sub(d.marks[0].time) >= settled {
		at = d.marks[0].at
		ok = true
		d.marks = d.marks[1:]
	}
	return at, ok
}

// repositoryBatch is how many records are sent before those that were sent long
// enough ago count: who ends each connection in the middle of a long backlog
// gets on all the same.
const repositoryBatch = 100

// send writes the next records; more says that there may be further ones.
func (p *Repository) send(ctx context.Context, conn net.Conn, d *delivery) (more bool, err error) {
	n := 0
	for r, err := range p.Trail.After(ctx, d.sent) {
		if err != nil {
			return false, err
		}

		msg, err := Syslog(r, p.Origin)
		if err != nil {
			return false, err
		}

		if err := conn.SetWriteDeadline(time.Now().Add(repositoryWrite)); err != nil {
			return false, err
		}
		if _, err := conn.Write(msg); err != nil {
			return false, err
		}

		d.sent = r.Sequence
		n++
		if n == repositoryBatch {
			break
		}
	}

	if n > 0 {
		d.marks = append(d.marks, mark{at: d.sent, time: time.Now()})
	}
	return n == repositoryBatch, nil
}

func (p *Repository) delivered(ctx context.Context) (at int64, err error) {
	at = -1
	err = p.DB.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT sequence FROM audit_delivery WHERE repository = ?1`, p.Name).Scan(&at)
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	})
	return at, err
}

func (p *Repository) count(ctx context.Context, at int64) error {
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := registers.New(p.DB, p.Trail.log).Exec(ctx, tx,
			`INSERT INTO audit_delivery (repository, sequence) VALUES (?1, ?2)
    ON CONFLICT (repository) DO UPDATE SET sequence = ?2`, p.Name, at)
		return err
	})
}
