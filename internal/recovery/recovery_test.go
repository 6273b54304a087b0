package recovery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
)

func TestOnlyItsKeyOpensWhatWasSealed(t *testing.T) {
	t.Parallel()
	key, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	w, err := Seal(&sealed, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "ZZPHI secret"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed.Bytes(), []byte("ZZPHI")) {
		t.Error("the secret stands in what was sealed")
	}

	again, err := Parse("# a note\n  " + strings.ToLower(key.Secret()) + " \n")
	if err != nil {
		t.Fatal(err)
	}
	r, err := again.Open(bytes.NewReader(sealed.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "ZZPHI secret" {
		t.Errorf("%q %v", b, err)
	}

	other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(bytes.NewReader(sealed.Bytes())); fault.Of(err) != fault.Denied {
		t.Errorf("another key: %v", err)
	}
	b := sealed.Bytes()
	b[len(b)-1] ^= 1
	r, err = key.Open(bytes.NewReader(b))
	if err == nil {
		_, err = io.ReadAll(r)
	}
	if err == nil {
		t.Error("a change was not noticed")
	}
}

func TestWhatIsNoKeyIsNotQuoted(t *testing.T) {
	t.Parallel()
	_, err := Parse("AGE-SECRET-KEY-1ZZPHI")
	if fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), "ZZPHI") {
		t.Errorf("%v", err)
	}
	if _, err := Seal(io.Discard, "age1ZZPHI"); fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), "ZZPHI") {
		t.Errorf("%v", err)
	}
}

func TestStateIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if s, err := Load(dir); err != nil || s.Public != "" {
		t.Fatalf("%+v %v", s, err)
	}
	want := State{Public: "age1x", Made: time.Unix(100, 0).UTC()}
	if err := want.Save(dir); err != nil {
		t.Fatal(err)
	}
	if s, err := Load(dir); err != nil || s != want {
		t.Errorf("%+v %v", s, err)
	}
}

// A key that slips into a log or an error does not show.
func TestAKeyDoesNotPrint(t *testing.T) {
	t.Parallel()
	key, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	text, _ := json.Marshal(map[string]any{"key": key})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key)
	for _, s := range []string{fmt.Sprint(key, *key), fmt.Sprintf("%v %+v %#v", key, key, key), fmt.Sprintf("%+v %#v", *key, *key), string(text), log.String()} {
		if strings.Contains(s, key.Secret()) || strings.Contains(s, "SECRET") {
			t.Error("the secret is printed")
		}
	}
}
