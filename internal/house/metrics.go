package house

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/VictoriaMetrics/metrics"

	"collimator/internal/guard"
	"collimator/internal/outbox"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// meter keeps the numbers of a server. None of them names a patient, a study or
// a person: labels are doors, operations, outcomes and parts.
type meter struct {
	s   *Server
	set *metrics.Set
}

// requestBuckets are the upper bounds, in seconds, by which durations of requests
// are counted.
var requestBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

func newMeter(s *Server) *meter {
	m := &meter{s: s, set: metrics.NewSet()}
	gauge := func(name string, value func() float64) { m.set.NewGauge(name, value) }

	memory := s.Guard.Memory
	gauge("collimator_memory_held_bytes", func() float64 { return float64(memory.Usage().Held) })
	gauge("collimator_memory_limit_bytes", func() float64 { return float64(memory.Usage().Total) })
	gauge("collimator_memory_waiting_requests", func() float64 { return float64(memory.Usage().Waiting) })

	rooms := s.Guard.Rooms
	for door, usage := range map[string]func() (waiting, admitted int){
		"dimse":       func() (int, int) { u := rooms.DICOM.Usage(); return u.Strangers + u.Known, u.Admitted },
		"dimse-plain": func() (int, int) { u := rooms.Plain.Usage(); return u.Strangers + u.Known, u.Admitted },
		"https":       func() (int, int) { u := rooms.Web.Usage(); return u.Strangers + u.Known, u.Admitted },
	} {
		gauge(`collimator_connections{door="`+door+`",kind="waiting"}`, func() float64 { n, _ := usage(); return float64(n) })
		gauge(`collimator_connections{door="`+door+`",kind="admitted"}`, func() float64 { _, n := usage(); return float64(n) })
	}

	gauge("collimator_audit_records_waiting", func() float64 { waiting, _ := s.keeper.Waiting(); return float64(waiting) })
	gauge("collimator_index_log_bytes", func() float64 { return float64(s.in.DB.LogBytes()) })
	gauge("collimator_disk_free_bytes", func() float64 { return float64(s.reserve.Free()) })
	return m
}

// observe is the hook of the guard.
func (m *meter) observe(x guard.Measure) {
	labels := `{door="` + string(x.Door) + `",operation="` + x.Operation + `",outcome="` + x.Outcome + `"`
	if x.Route != "" {
		labels += `,route=` + strconv.Quote(x.Route) // an AE title may hold quotes
	}
	labels += `}`
	m.set.GetOrCreatePrometheusHistogramExt("collimator_request_seconds"+labels, requestBuckets).Update(x.Took.Seconds())
}

// text is all numbers in the exposition format of Prometheus.
func (m *meter) text() []byte {
	var b bytes.Buffer
	m.set.WritePrometheus(&b)
	for _, s := range m.s.States.All() {
		metrics.WriteGaugeUint64(&b, `collimator_state_level{part="`+s.Name+`"}`, uint64(s.Level))
	}
	for _, u := range m.s.gate.Usage() {
		for kind, n := range map[string]int{"used": u.Used, "kept": u.Kept, "waiting": u.Waiting} {
			metrics.WriteGaugeUint64(&b, `collimator_gate_associations{route=`+strconv.Quote(u.Route)+`,kind="`+kind+`"}`, uint64(n))
		}
	}
	for _, u := range m.s.pages.Usage() {
		for kind, n := range map[string]int{"used": u.Used, "waiting": u.Waiting, "visits": u.Visits} {
			metrics.WriteGaugeUint64(&b, `collimator_gate_pages{route=`+strconv.Quote(u.Route)+`,kind="`+kind+`"}`, uint64(n))
		}
	}
	m.queue(&b)
	metrics.WriteProcessMetrics(&b)
	return b.Bytes()
}

// queue is how much waits to be sent elsewhere.
func (m *meter) queue(b *bytes.Buffer) {
	list, err := outbox.Summaries(context.Background(), m.s.in.DB)
	if err != nil {
		return // a state says so
	}
	sums := map[string]int64{} // over the targets a route had
	for _, s := range list {
		for kind, n := range map[string]int64{"waiting": s.Waiting, "sent": s.Sent, "aside": s.Aside} {
			sums[`collimator_gate_queue{route=`+strconv.Quote(s.Destination)+`,state="`+kind+`"}`] += n
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		metrics.WriteGaugeUint64(b, name, uint64(sums[name]))
	}
}

// register puts the numbers behind the guard.
func (m *meter) register(a *webapi.API) {
	a.Handle("GET /metrics", policy.Metrics, func(*webapi.Request) (any, error) {
		return &webapi.File{Name: "metrics.txt", Type: "text/plain; version=0.0.4; charset=utf-8", Body: m.text()}, nil
	})
	a.Describe(map[string]webapi.Doc{"GET /metrics": webapi.Does("Give numbers for Prometheus").GivesFile("text/plain")})
}
