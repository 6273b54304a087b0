package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func TestAChallengeSaysWhatItWasMadeForOnceAndForFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newChallenges[string](time.Now, "one")
		sealed, err := c.seal("grace")
		if err != nil {
			t.Fatal(err)
		}
		again, _ := c.seal("grace")
		if text(sealed) == text(again) {
			t.Error("two challenges are the same")
		}
		if v, ok := c.open(text(sealed)); !ok || v != "grace" {
			t.Errorf("%q %v", v, ok)
		}
		if _, ok := newChallenges[string](time.Now, "one").open(text(sealed)); ok {
			t.Error("one of another process counts")
		}
		other := &challenges[string]{now: time.Now, what: "two", aead: c.aead}
		if _, ok := other.open(text(sealed)); ok {
			t.Error("one that was made for something else counts")
		}
		for i := range sealed {
			changed := append([]byte(nil), sealed...)
			changed[i] ^= 1
			if _, ok := c.open(text(changed)); ok {
				t.Fatalf("with another byte %d it counts", i)
			}
		}
		for _, bad := range []string{"", "x", "====", text(sealed[:20]), text(make([]byte, 5000))} {
			if _, ok := c.open(bad); ok {
				t.Errorf("%.20q counts", bad)
			}
		}
		if first, err := c.answer(text(sealed)); !first || err != nil {
			t.Error(first, err)
		}
		time.Sleep(challengeLifetime - time.Second)
		if first, err := c.answer(text(sealed)); first || err != nil {
			t.Error("it counts twice")
		}
		time.Sleep(time.Second)
		if _, ok := c.open(text(sealed)); ok {
			t.Error("it counts after its time")
		}
	})
}

func TestWhatWasAnsweredIsBoundedAndNobodyIsKeptFromBeginning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newChallenges[string](time.Now, "one")
		for range 10_000 {
			if _, err := c.seal("stranger"); err != nil {
				t.Fatal(err)
			}
		}
		if len(c.answered) != 0 {
			t.Errorf("%d are kept of those that were begun", len(c.answered))
		}
		for i := range answeredMost {
			if first, err := c.answer(text(fmt.Append(nil, i))); !first || err != nil {
				t.Fatal(first, err)
			}
		}
		if first, err := c.answer("one more"); first || !errors.Is(err, errAnswers) {
			t.Errorf("with no room to remember, an answer counts: %v", err)
		}
		if first, err := c.answer(text([]byte("7"))); first || err != nil {
			t.Error("what was answered counts again once it is full")
		}
		if sealed, err := c.seal("grace"); err != nil {
			t.Error(err)
		} else if _, ok := c.open(text(sealed)); !ok {
			t.Error("nobody can begin")
		}
		time.Sleep(challengeLifetime)
		if first, err := c.answer("one more"); !first || err != nil || len(c.answered) != 1 {
			t.Errorf("%v: %d are kept: %v", first, len(c.answered), err)
		}
	})
}

func TestAChallengeCountsOnceHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	c := newChallenges[string](time.Now, "one")
	sealed, err := c.seal("ada")
	if err != nil {
		t.Fatal(err)
	}
	if first, err := c.answer(text(sealed)); !first || err != nil {
		t.Fatal(first, err)
	}
	for _, again := range []string{text(sealed), text(sealed) + "\n", "\r" + text(sealed)} {
		if first, err := c.answer(again); first || err != nil {
			t.Errorf("%q counts again (%v)", again[:4], err)
		}
	}
}
