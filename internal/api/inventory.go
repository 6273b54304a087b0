package api

import (
	"slices"
	"strings"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/inventory"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerInventory puts the routes about one issue, and about what advisories and people say of one system, on
// the guard's multiplexer.
func (s *Services) registerInventory(a *webapi.API) {
	a.Handle("GET /api/v1/issues/{id}", policy.Surface, s.oneIssue)
	a.Handle("GET /api/v1/assets/{id}/advisories", policy.Surface, s.assetAdvisories)
	a.Handle("POST /api/v1/assets/{id}/statements", policy.Configure, s.answer)
	a.Handle("GET /api/v1/advisories", policy.Surface, s.advisories, "after", "limit")
	a.Holds(surfaceBytes, "GET /api/v1/assets/{id}/advisories", "GET /api/v1/advisories")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/issues/{id}": webapi.Does("Show an issue").Gives(inventory.Issue{}),
		"GET /api/v1/assets/{id}/advisories": webapi.Does("Say which advisories speak of a system").
			Gives(assetAdvisories{}),
		"POST /api/v1/assets/{id}/statements": webapi.Does("Answer a question of an advisory about a system").
			Takes(newStatement{}).Gives(inventory.Asset{}),
		"GET /api/v1/advisories": webapi.Does("List the advisories that are known here").
			Gives(webapi.List[advisory.Advisory]{}),
	})
}

func (s *Services) oneIssue(rq *webapi.Request) (any, error) {
	return s.Posture.Inventory.IssueByID(rq.Context(), rq.Path("id"))
}

// assetAdvisories is what advisories say of one system: affected, possibly, or not listed, which is never safe.
type assetAdvisories struct {
	Answer advisory.Answer `json:"answer"`
	// Matches are those that speak of it, Outside those whose versions leave it out.
	Matches []inventory.Settled `json:"matches"`
	Outside []advisory.Match    `json:"outside"`
	// Questions are those that nobody has answered yet, in words.
	Questions []string `json:"questions"`
}

func (s *Services) assetAdvisories(rq *webapi.Request) (any, error) {
	a, err := s.Posture.Inventory.Asset(rq.Context(), rq.Path("id"))
	if err != nil {
		return nil, err
	}
	all, err := s.Posture.Inventory.Answers(rq.Context())
	if err != nil {
		return nil, err
	}

	x := assetAdvisories{Matches: []inventory.Settled{}, Outside: []advisory.Match{}, Questions: []string{}}
	at := slices.IndexFunc(all, func(c inventory.Checked) bool { return c.Asset.ID == a.ID })
	if at < 0 {
		return x, nil // it was taken out in between
	}
	x.Answer = all[at].Answer
	x.Matches = append(x.Matches, all[at].Matches...)
	x.Outside = append(x.Outside, all[at].Outside...)
	x.Questions = append(x.Questions, all[at].Questions...)
	return x, nil
}

// newStatement is the answer of somebody to a question about a system.
type newStatement struct {
	Question string `json:"question"` // patched, protected, gate
	Answer   bool   `json:"answer"`
	Since    string `json:"since,omitempty"` // as 2026-12-31; needed for a yes to patched
	Note     string `json:"note,omitempty"`
}

// answer notes what somebody says who is signed in.
func (s *Services) answer(rq *webapi.Request) (any, error) {
	var in newStatement
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	var day time.Time
	if in.Since != "" {
		var err error
		if day, err = parseDay(in.Since); err != nil {
			return nil, err
		}
	}
	if day.After(time.Now()) {
		return nil, fault.New(fault.Invalid, "api: since is a day that has been")
	}

	id := rq.Path("id")
	err := s.Posture.Inventory.State(rq.Context(), id, inventory.Statement{
		Question: inventory.Question(in.Question), Answer: in.Answer, Since: day, Who: rq.Person().Name, Note: strings.TrimSpace(in.Note),
	})
	if err != nil {
		return nil, err
	}
	rq.Record(audit.InventoryChanged, audit.Update, audit.Object{Device: id, Detail: "answered: " + in.Question})
	return s.Posture.Inventory.Asset(rq.Context(), id)
}

func (s *Services) advisories(rq *webapi.Request) (any, error) {
	table, err := s.Posture.Inventory.Advisories(rq.Context())
	if err != nil {
		return nil, err
	}
	return slice(rq, table.Advisories)
}
