package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed table is what the generator makes of the facts.
func TestTableIsUpToDate(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		t.Skip("COLLIMATOR_SHARED is not set: the table is not held against the facts it is made of")
	}
	var b bytes.Buffer
	if err := generate(filepath.Join(dir, "facts"), &b); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../internal/advisory/products.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Error("internal/advisory/products.tsv is not what the facts give; run the generator again")
	}
}

// Every fact has a line, and every spelling belongs to a fact.
func TestEverySpellingBelongsToAFact(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../internal/advisory/products.tsv")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range table(string(b)) {
		known[r["id"]+" "+r["product"]] = true
	}
	for _, s := range table(spellings) {
		if !known[s["id"]+" "+s["product"]] {
			t.Errorf("the spelling of %s %q belongs to nothing", s["id"], s["product"])
		}
	}
}
