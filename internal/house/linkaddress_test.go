package house_test

import (
	"os"
	"strings"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house"
)

func TestLinksNameWhereOthersReachTheServer(t *testing.T) {
	t.Parallel()
	machine, err := os.Hostname()
	if err != nil {
		t.Skip("this machine has no name")
	}
	for _, c := range []struct {
		http          string
		hosts, origin []string
		want, advice  string
	}{
		{"127.0.0.1:8443", nil, nil, "https://localhost:8443", "on this machine alone"},
		{"10.1.2.3:8443", nil, nil, "https://10.1.2.3:8443", "Set hosts"},
		{"0.0.0.0:443", nil, nil, "https://" + strings.ToLower(machine), "Set hosts"},
		{"[fd00::1]:8443", nil, nil, "https://[fd00::1]:8443", "Set hosts"},
		{"10.1.2.3:8443", []string{"PACS.example.org"}, nil, "https://pacs.example.org:8443", ""},
		{"10.1.2.3:8443", []string{"pacs.example.org"}, []string{"https://images.example.org"}, "https://images.example.org", ""},
		{"", nil, nil, "", "on this machine alone"},
	} {
		cfg := config.Default()
		cfg.HTTP, cfg.Hosts, cfg.SignIn.Origins = c.http, c.hosts, c.origin
		if got := house.BestOrigin(cfg); got != c.want {
			t.Errorf("http %q, hosts %v: %q, want %q", c.http, c.hosts, got, c.want)
		}
		if got := house.LinkAdvice(cfg); (got == "") != (c.advice == "") || !strings.Contains(got, c.advice) {
			t.Errorf("http %q, hosts %v: advice %q", c.http, c.hosts, got)
		}
	}
}
