package face

import (
	"context"
	"sync"

	"collimator/internal/disclosure"
)

// studiesMost is how many studies of a route are remembered by number.
const studiesMost = 1 << 16

// numbers remembers which studies the system behind named, since the start: a pseudonym of
// one that was never shown to anybody stands for nothing. Safe for concurrent use.
type numbers struct {
	mu    sync.Mutex
	uids  []string // a ring: that of number n is at (n-1) % studiesMost
	of    map[string]int64
	count int64
}

func newNumbers() *numbers { return &numbers{of: map[string]int64{}} }

// learn remembers a study. Where there are too many, the one learned first is forgotten.
func (n *numbers) learn(study string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.of[study]; known {
		return
	}
	n.count++
	at := (n.count - 1) % studiesMost
	if at == int64(len(n.uids)) {
		n.uids = append(n.uids, study)
	} else {
		delete(n.of, n.uids[at])
		n.uids[at] = study
	}
	n.of[study] = n.count
}

// StudiesAfter implements disclosure.Repository.
func (b *Backend) StudiesAfter(_ context.Context, after int64, limit int) (list []disclosure.StudyNumber, err error) {
	n := b.numbers
	n.mu.Lock()
	defer n.mu.Unlock()
	for number := max(after+1, n.count-studiesMost+1, 1); number <= n.count && len(list) < limit; number++ {
		list = append(list, disclosure.StudyNumber{Number: number, UID: n.uids[(number-1)%studiesMost]})
	}
	return list, nil
}

// StudyUID implements disclosure.Repository.
func (b *Backend) StudyUID(_ context.Context, number int64) (string, error) {
	n := b.numbers
	n.mu.Lock()
	defer n.mu.Unlock()
	if number < 1 || number > n.count || number <= n.count-studiesMost {
		return "", nil
	}
	return n.uids[(number-1)%studiesMost], nil
}
