package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheTypesOfTheConsoleAreThoseOfTheAPI(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := typeScript(b)
	if err != nil {
		t.Fatal(err)
	}

	got, err := os.ReadFile("../../web/console/src/api/openapi.ts")
	if err != nil || string(got) != want {
		t.Errorf("web/console/src/api/openapi.ts is not what docs/openapi.json says (%v): go run ./tools/apitypes docs/openapi.json web/console/src/api/openapi.ts", err)
	}
}

func TestSchemasBecomeTypes(t *testing.T) {
	t.Parallel()
	got, err := typeScript([]byte(`{"paths":{"/a/{id}":{"get":{"summary":"Show.","parameters":[{"name":"id","in":"path","required":true},{"name":"q","in":"query"}],
		"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}},"204":{}}}}},
		"components":{"schemas":{"A":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"},"of":{"type":"array","items":{"enum":["x","y"]}}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  n: number;\n", "  of?: Array<'x' | 'y'>;\n",
		"'GET /a/{id}': { path: { id: string }; query: { q?: string }; gives: A | undefined };",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
