package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

func open(t testing.TB) (*ledger.Log, *db.DB, *ledger.Key) {
	t.Helper()
	dir := t.TempDir()
	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	key, err := ledger.OpenKey(filepath.Join(dir, "keys"), "test.example/log")
	if err != nil {
		t.Fatal(err)
	}
	return ledger.New(d, key), d, key
}

func appendTo(t testing.TB, l *ledger.Log, d *db.DB, from, n int) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		for i := from; i < from+n; i++ {
			if _, err := l.Append(t.Context(), tx, ledger.Leaf{Kind: "instance", Ref: fmt.Sprintf("1.2.%d", i), Data: fmt.Sprintf(`{"n":%d}`, i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func problems(t testing.TB, l *ledger.Log) []ledger.Problem {
	t.Helper()
	var out []ledger.Problem
	for p, err := range l.Verify(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestAnUntouchedLogVerifiesAtEverySize(t *testing.T) {
	t.Parallel()
	l, d, _ := open(t)
	if p := problems(t, l); len(p) != 0 {
		t.Errorf("an empty log has problems: %v", p)
	}
	for n := range 40 {
		appendTo(t, l, d, n, 1)
		if p := problems(t, l); len(p) != 0 {
			t.Fatalf("%d leaves: %v", n+1, p)
		}
	}
}

func TestEveryInclusionProofHoldsAndNoChangedOneDoes(t *testing.T) {
	t.Parallel()
	l, d, key := open(t)
	appendTo(t, l, d, 0, 70)
	for i := range 70 {
		proof, err := l.Prove(t.Context(), fmt.Sprintf("1.2.%d", i))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ledger.Check(proof, key.Public)
		if err != nil || got.Leaf == nil || got.Leaf.Ref != fmt.Sprintf("1.2.%d", i) || got.Leaf.Position != int64(i) || got.Tree.Size != 70 {
			t.Fatalf("leaf %d: %+v, %v", i, got, err)
		}
	}
	proof, _ := l.Prove(t.Context(), "1.2.33")
	says, _ := ledger.Check(proof, key.Public)
	for at := range len(proof) {
		b := []byte(proof)
		b[at] ^= 0x01
		// The signature's base64 has spare bits; what is proven must stay the same.
		if got, err := ledger.Check(string(b), key.Public); err == nil && (got.Leaf == nil || *got.Leaf != *says.Leaf || got.Tree != says.Tree) {
			t.Fatalf("a proof with byte %d changed proves something else", at)
		}
	}
	if _, err := l.Prove(t.Context(), "1.2.999"); fault.Of(err) != fault.NotFound {
		t.Errorf("a proof of nothing: %v", err)
	}
	other, err := ledger.OpenKey(t.TempDir(), "test.example/log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Check(proof, other.Public); err == nil {
		t.Error("the proof holds with another key")
	}
}

func TestConsistencyProofsHoldBetweenAllSizesAndShowARewrite(t *testing.T) {
	t.Parallel()
	l, d, key := open(t)
	var older []string
	for n := range 20 {
		appendTo(t, l, d, n, 1)
		c, err := l.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		older = append(older, c)
	}
	for n, c := range older {
		proof, err := l.Consistency(t.Context(), c)
		if err != nil {
			t.Fatalf("size %d: %v", n+1, err)
		}
		got, err := ledger.Check(proof, key.Public)
		if err != nil || got.Older.Size != int64(n+1) || got.Tree.Size != 20 {
			t.Fatalf("size %d: %+v, %v", n+1, got, err)
		}
	}
	// Somebody with the key rewrites history: all hashes and signatures fit, and
	// yesterday's checkpoint still gives it away.
	rewritten, d2, _ := withKey(t, key)
	appendTo(t, rewritten, d2, 100, 30)
	if p := problems(t, rewritten); len(p) != 0 {
		t.Fatalf("the rewritten log is not even consistent in itself: %v", p)
	}
	if _, err := rewritten.Consistency(t.Context(), older[9]); fault.Of(err) != fault.Conflict {
		t.Errorf("the rewrite was not noticed: %v", err)
	}
	short, d3, _ := withKey(t, key)
	appendTo(t, short, d3, 0, 5)
	if _, err := short.Consistency(t.Context(), older[9]); fault.Of(err) != fault.Conflict {
		t.Errorf("removed leaves were not noticed: %v", err)
	}
}

func withKey(t *testing.T, key *ledger.Key) (*ledger.Log, *db.DB, *ledger.Key) {
	t.Helper()
	_, d, _ := open(t)
	return ledger.New(d, key), d, key
}

func TestAnyChangeOfAnyRowIsFound(t *testing.T) {
	t.Parallel()
	l, d, _ := open(t)
	appendTo(t, l, d, 0, 50)
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 120 {
		undo := tamper(t, d, r)
		if p := problems(t, l); len(p) == 0 {
			t.Fatalf("round %d: a change was not found", round)
		}
		undo()
		if p := problems(t, l); len(p) != 0 {
			t.Fatalf("round %d: the change was not undone: %v", round, p)
		}
	}
}

// tamper changes one thing in the log's tables and returns how to undo it.
func tamper(t *testing.T, d *db.DB, r *rand.Rand) (undo func()) {
	t.Helper()
	at := r.Int64N(50)
	hash := r.Int64N(90)
	statements := [][2]string{
		{`UPDATE ledger_leaf SET data = data || ' ' WHERE position = ?1`, `UPDATE ledger_leaf SET data = substr(data, 1, length(data) - 1) WHERE position = ?1`},
		{`UPDATE ledger_leaf SET kind = kind || 'x' WHERE position = ?1`, `UPDATE ledger_leaf SET kind = 'instance' WHERE position = ?1`},
		{`UPDATE ledger_leaf SET ref = ref || '1' WHERE position = ?1`, `UPDATE ledger_leaf SET ref = substr(ref, 1, length(ref) - 1) WHERE position = ?1`},
		{`UPDATE ledger_leaf SET position = -1 - position WHERE position = ?1`, `UPDATE ledger_leaf SET position = -1 - position WHERE position = -1 - ?1`},
		{`UPDATE ledger_hash SET position = -1 - position WHERE position = ?2`, `UPDATE ledger_hash SET position = -1 - position WHERE position = -1 - ?2`},
		{`UPDATE ledger_checkpoint SET note = replace(note, 'test.example', 'tEst.example')`, `UPDATE ledger_checkpoint SET note = replace(note, 'tEst.example', 'test.example')`},
	}
	s := statements[r.IntN(len(statements))]
	exec := func(q string) {
		var args []any
		switch {
		case strings.Contains(q, "?1"):
			args = []any{at}
		case strings.Contains(q, "?2"):
			q, args = strings.ReplaceAll(q, "?2", "?1"), []any{hash}
		}
		err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(context.Background(), q, args...); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	exec(s[0])
	return func() { exec(s[1]) }
}

func TestTwoWritersShareOneLog(t *testing.T) {
	t.Parallel()
	l, d, key := open(t)
	second := ledger.New(d, key)
	for i := range 30 {
		appendTo(t, []*ledger.Log{l, second}[i%2], d, i, 1)
	}
	if p := problems(t, l); len(p) != 0 {
		t.Error(p)
	}
}

func FuzzCheck(f *testing.F) {
	l, d, key := open(f)
	appendTo(f, l, d, 0, 9)
	proof, _ := l.Prove(context.Background(), "1.2.3")
	c, _ := l.Checkpoint(context.Background())
	appendTo(f, l, d, 9, 4)
	consistency, _ := l.Consistency(context.Background(), c)
	f.Add(proof)
	f.Add(consistency)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ledger.Check(text, key.Public)
		if err == nil && got.Leaf != nil && !strings.HasPrefix(got.Leaf.Ref, "1.2.") {
			t.Error("a forged leaf was taken")
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	l, d, _ := open(b)
	appendTo(b, l, d, 0, 1000)
	n := 1000
	b.ReportAllocs()
	err := d.Write(b.Context(), func(tx *db.Tx) error {
		for b.Loop() {
			if _, err := l.Append(b.Context(), tx, ledger.Leaf{Kind: "instance", Ref: fmt.Sprint(n), Data: "{}"}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// What a killed writer left behind, and what somebody appended, is named and
// spoils none of the other checkpoints.
func TestGarbageInAWitnessIsNamedAndHidesNothing(t *testing.T) {
	t.Parallel()
	l, d, _ := open(t)
	path := filepath.Join(t.TempDir(), "witness")
	write := func(s string) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err == nil {
			_, err = f.WriteString(s)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	checkpoint := func() {
		appendTo(t, l, d, next, 3)
		next += 3
		if err := ledger.NewWitness(l, plainly{}, path).Append(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	checkpoint()
	for _, garbage := range []string{"test.example/log\n3\nAAAA", "x", strings.Repeat("y", 100_000), "\n\n\u2014 z\n\n"} {
		write(garbage)
		checkpoint()
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	good, bad := 0, 0
	for w, err := range l.CheckWitness(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		if w.Problem == "" {
			good++
		} else {
			bad++
		}
	}
	if good != 5 || bad != 4 {
		t.Errorf("%d checkpoints hold and %d do not, want 5 and 4", good, bad)
	}
}

func TestSpareBitsOfASignatureAreFound(t *testing.T) {
	t.Parallel()
	l, d, key := open(t)
	appendTo(t, l, d, 0, 3)
	signed, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.OpenCheckpoint(signed, key.Public); err != nil {
		t.Fatal(err)
	}

	// 68 bytes end in "x=": the two lowest bits of x say nothing.
	at := strings.LastIndexByte(signed, '=') - 1
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	n := strings.IndexByte(digits, signed[at])
	for spare := 1; spare < 4; spare++ {
		changed := signed[:at] + string(digits[n^spare]) + signed[at+1:]
		if _, err := ledger.OpenCheckpoint(changed, key.Public); fault.Of(err) != fault.Invalid {
			t.Errorf("digit %c instead of %c: got %v, want invalid", digits[n^spare], signed[at], err)
		}
	}
}

// plainly writes rows that nothing covers: registers stand above this package.
type plainly struct{}

func (plainly) Exec(ctx context.Context, tx *db.Tx, query string, args ...any) (int64, error) {
	return tx.Exec(ctx, query, args...)
}
