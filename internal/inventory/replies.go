package inventory

import (
	"time"

	"collimator/internal/fault"
	"collimator/internal/terminal"
)

// Replies are what somebody answers to the questions of the warning, as typed.
type Replies struct {
	Patched   string // yes, no, or the day since when, as 2026-12-31; empty for no answer
	Protected string // yes or no; empty for no answer
	Gate      string // yes or no; empty for no answer
	Who       string // says so
	Note      string
}

// Statements are the answers for the register. No answer at all, and a day that is
// not yet over, end as fault.Misused.
func (a Replies) Statements() ([]Statement, error) {
	var out []Statement
	if a.Patched != "" {
		s := Statement{Question: Patched, Answer: a.Patched != "no", Who: a.Who, Note: a.Note}
		switch a.Patched {
		case "no":
		case "yes":
			s.Since = time.Now()
		default:
			since, err := terminal.ParseDay("--patched", a.Patched)
			if err != nil {
				return nil, err
			}
			if since.After(time.Now()) {
				return nil, fault.Usage("--patched: %s is not yet over", a.Patched)
			}

			// The whole day counts, and a day is the same everywhere.
			s.Since = time.Date(since.Year(), since.Month(), since.Day(), 12, 0, 0, 0, time.UTC)
		}

		out = append(out, s)
	}

	for _, q := range []struct {
		question Question
		answer   string
	}{
		{question: Protected, answer: a.Protected},
		{question: Gated, answer: a.Gate},
	} {
		if q.answer != "" {
			out = append(out, Statement{Question: q.question, Answer: q.answer == "yes", Who: a.Who, Note: a.Note})
		}
	}

	if len(out) == 0 {
		return nil, fault.Usage("answer at least one question: --patched, --protected or --gate")
	}
	return out, nil
}
