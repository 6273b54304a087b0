package dimse_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

func discardServer() *dimse.Server {
	s := echoServer()
	return s
}

func benchmarkStore(b *testing.B, secure bool, size int) {
	s, cfg := discardServer(), config(ct)
	if secure {
		s.TLSConfig, cfg.TLSConfig = tlsPair(b)
	}
	a := dial(b, serve(b, s), cfg)
	data := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(data)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStore526kB(b *testing.B)    { benchmarkStore(b, false, 526_000) }
func BenchmarkStore526kBTLS(b *testing.B) { benchmarkStore(b, true, 526_000) }
func BenchmarkStore64MB(b *testing.B)     { benchmarkStore(b, false, 64<<20) }

func BenchmarkEcho(b *testing.B) {
	a := dial(b, serve(b, discardServer()), config(uid.Verification))
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Echo(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind100(b *testing.B) {
	s := echoServer()
	s.Mux.HandleFind(func(_ context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		for range 100 {
			if !yield(dimse.Match{Identifier: rq.Identifier}) {
				break
			}
		}
		return dimse.Status{}
	})
	a := dial(b, serve(b, s), config(studyFind))
	query := studyQuery()
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: query}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestMemoryDoesNotGrowWithTheDataSet holds both sides to constant memory and to no
// allocation per PDU or fragment: a message of 256 MiB costs what one of 1 MiB costs.
func TestMemoryDoesNotGrowWithTheDataSet(t *testing.T) {
	a := dial(t, serve(t, discardServer()), config(ct))
	cost := func(size int64) (objects, bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ExplicitVRLittleEndian, Data: io.LimitReader(zeros{}, size)}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
	}
	cost(1 << 20) // fills the pools
	objects, total := cost(256 << 20)
	if objects > 300 || total > 1<<20 {
		t.Errorf("256 MiB in 1,024 PDUs cost %d objects, %d bytes", objects, total)
	}
}

// BenchmarkGet526kB is one instance of 526 kB by C-GET, in retrievals of 100.
func BenchmarkGet526kB(b *testing.B) {
	data := make([]byte, 526_000)
	s := echoServer()
	s.Mux.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		sub := subOperations([]string{"1.2.3"}, data)[0]
		return &dimse.RetrievePlan{Count: 100, SubOperations: func(yield func(dimse.SubOperation) bool) {
			for range 100 {
				if !yield(sub) {
					return
				}
			}
		}}, dimse.Status{}
	})
	cfg := config(studyGet, ct)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCP: true}}
	a := dial(b, serve(b, s), cfg)
	b.SetBytes(100 * int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: studyQuery(),
			Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
				io.Copy(io.Discard, rq.Data)
				return dimse.Status{}
			}})
		if err != nil || res.SubOperations.Completed != 100 {
			b.Fatal(res, err)
		}
	}
}
