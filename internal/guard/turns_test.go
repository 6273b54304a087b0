package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/policy"
)

// signers wait for turns, each in a goroutine of its own.
type signers struct {
	*testing.T
	*signTurns
	order chan string
}

// wait asks for a turn, which lasts a second of the bubble.
func (s *signers) wait(ctx context.Context, kind int, origin string) chan error {
	done := make(chan error, 1)
	go func() {
		end, err := s.take(ctx, kind, origin)
		if err == nil {
			s.order <- origin
			time.Sleep(time.Second) // of the bubble: the work
			end()
		}
		done <- err
	}()
	synctest.Wait()
	return done
}

// turns runs a test in a bubble of its own, in which somebody is being checked.
func turns(t *testing.T, f func(s *signers)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &signers{T: t, signTurns: newSignTurns(), order: make(chan string, 1000)}
		s.wait(t.Context(), signStranger, "first")
		<-s.order
		f(s)
	})
}

func TestACrowdOfStrangersKeepsNobodyFromSigningInWhoDidBefore(t *testing.T) {
	turns(t, func(s *signers) {
		for i := range 100 {
			s.wait(s.Context(), signStranger, fmt.Sprint("stranger ", i))
		}
		person := s.wait(s.Context(), signKnown, "person")
		device := s.wait(s.Context(), signDevice, "device")
		for range 4 {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if len(person) != 1 || <-person != nil || len(device) != 1 || <-device != nil {
			s.Error("a person and a device had to wait for more than one stranger each")
		}
		time.Sleep(time.Minute)
	})
}

func TestAnOriginHasNoMorePlacesThanIsFairToThoseThatCome(t *testing.T) {
	turns(t, func(s *signers) {
		var hoard []chan error
		for range 2 * signingMost {
			hoard = append(hoard, s.wait(s.Context(), signStranger, "hoarder"))
		}
		if err := <-hoard[len(hoard)-1]; !errors.Is(err, errBusy) {
			s.Errorf("one more of an origin that has all places: %v", err)
		}
		one := s.wait(s.Context(), signStranger, "one")
		if len(hoard[0]) != 1 || !errors.Is(<-hoard[0], errBusy) {
			s.Error("it was not the oldest of the hoard that gave way")
		}
		if len(one) != 0 {
			s.Error("who comes from another origin has no place")
		}
		time.Sleep(time.Minute)
	})
}

func TestNobodyWaitsForATurnForLong(t *testing.T) {
	turns(t, func(s *signers) {
		end := make(chan struct{})
		go func() {
			stop, _ := s.take(s.Context(), signDevice, "slow")
			<-end
			stop()
		}()
		synctest.Wait()
		began := time.Now()
		late := s.wait(s.Context(), signStranger, "late")
		ctx, cancel := context.WithCancelCause(s.Context())
		gone := s.wait(ctx, signStranger, "gone")
		cancel(context.Canceled)
		if err := <-gone; !errors.Is(err, context.Canceled) {
			s.Errorf("who went away: %v", err)
		}
		if err := <-late; !errors.Is(err, errBusy) || time.Since(began) != signingWait {
			s.Errorf("%v after %s", err, time.Since(began))
		}
		close(end)
		synctest.Wait()
		if len(s.by) != 0 || s.busy {
			s.Errorf("%v is left", s.by)
		}
	})
}

func TestAddressesOfWhoIsSignedInAreKnownAfterARestart(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("ada", policy.Administrator)
	for address, complete := range map[string]bool{"192.0.2.1": true, "192.0.2.2": false} {
		if _, _, err := d.Sessions.Start(t.Context(), "ada", "password", address, complete, ""); err != nil {
			t.Fatal(err)
		}
	}
	d.signing = newSignTurns()
	if err := d.RememberSignIns(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !d.signing.known.Has("192.0.2.1", d.clock.Now()) || d.signing.known.Has("192.0.2.2", d.clock.Now()) {
		t.Error("known is who is signed in, and nobody else")
	}
	if strings.Contains(d.log.String(), "192.0.2") {
		t.Error("addresses stand in the log")
	}
}

func TestAPasscodeThatCannotBeCheckedNowIsATransientRejectionAndNoFloodInTheLog(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	cert := d.device("WS1", nil)
	for range 50 {
		err := d.refuseAssociation(t.Context(), request("WS1", cert), claimOf(request("WS1", cert)), errBusy)
		if r, ok := errors.AsType[*dimse.RejectError](err); !ok || r.Result != ul.RejectedTransient {
			t.Fatalf("%v", err)
		}
	}
	if n := len(d.records()); n > sampleBurst || n == 0 || strings.Contains(d.log.String(), "level=ERROR") {
		t.Errorf("%d records; %s", n, d.log)
	}
}

func TestManyPasswordsAtOnceDoNotPileUp(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.signing.busy = true
	for range signingMost {
		if _, err := d.signing.enter(&signWaiter{origin: "192.0.2.1", answer: make(chan error, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Turn(t.Context(), "192.0.2.1"); !errors.Is(err, errBusy) {
		t.Errorf("one more: %v", err)
	}

	for range signingMost + 1 {
		d.signing.end()
	}
	end, err := d.Turn(t.Context(), "192.0.2.1")
	if err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	end()
}
