package kind_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/gate/kind"
)

func TestANameIsAskedForOnceInAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		first, second := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		answer := func() ([]netip.Addr, error) { return []netip.Addr{first}, nil }
		names := kind.Names{LookUp: func(context.Context, string) ([]netip.Addr, error) {
			asked++
			return answer()
		}}
		look := func(step string, want netip.Addr, known bool, times int) {
			t.Helper()
			list, err := names.Addresses(t.Context(), "pacs.example")
			if !slices.Equal(list, []netip.Addr{want}) || (err == nil) != known || asked != times {
				t.Errorf("%s: %v, %v, asked %d times, want %v, known %t, %d times", step, list, err, asked, want, known, times)
			}
		}

		look("first", first, true, 1)
		time.Sleep(59 * time.Second)
		look("still known", first, true, 1)

		answer = func() ([]netip.Addr, error) { return nil, errors.New("no resolver") }
		time.Sleep(time.Second)
		look("not known now", first, false, 2)
		time.Sleep(9 * time.Second)
		look("not asked again at once", first, false, 2)

		answer = func() ([]netip.Addr, error) { return []netip.Addr{netip.AddrFrom16(second.As16())}, nil }
		time.Sleep(time.Second)
		look("known again, by another address", second, true, 3)
	})
}

func TestNamesAreLookedUpByManyAtATime(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("192.0.2.1")
	names := kind.Names{LookUp: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{address}, nil }}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for _, host := range []string{"a.example", "b.example", "192.0.2.1"} {
				if list, err := names.Addresses(t.Context(), host); err != nil || !slices.Equal(list, []netip.Addr{address}) {
					t.Errorf("%s: %v, %v", host, list, err)
				}
			}
		})
	}
	all.Wait()
}
