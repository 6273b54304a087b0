// Command apitypes writes the types of TypeScript by which the console asks the JSON API, of
// docs/openapi.json: an interface for each schema, and for each route what it takes and gives.
// A page of the console that asks for what is not there does not compile.
//
//	go run ./tools/apitypes docs/openapi.json web/console/src/api/openapi.ts
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: apitypes OPENAPI.json OPENAPI.ts")
	}
	b, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	text, err := typeScript(b)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

// document is what is read of openapi.json.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	Summary    string `json:"summary"`
	Parameters []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Required bool   `json:"required"`
	} `json:"parameters"`
	Body      content            `json:"requestBody"`
	Responses map[string]content `json:"responses"`
}

type content struct {
	Content map[string]struct {
		Schema *schema `json:"schema"`
	} `json:"content"`
}

type schema struct {
	Ref         string             `json:"$ref"`
	Type        string             `json:"type"`
	Enum        []string           `json:"enum"`
	Items       *schema            `json:"items"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	Values      *schema            `json:"additionalProperties"`
	Alternative []*schema          `json:"oneOf"`
}

func typeScript(b []byte) (string, error) {
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		return "", fmt.Errorf("apitypes: openapi.json: %w", err)
	}

	var out strings.Builder
	out.WriteString("// Written by tools/apitypes of docs/openapi.json; make web does it.\n")
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		fmt.Fprintf(&out, "\nexport interface %s %s\n", name, d.Components.Schemas[name].object(""))
	}

	out.WriteString("\n// Routes are those of the API: what of the path, of the query and of the body each takes, and what it gives.\nexport interface Routes {\n")
	for _, at := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[at])) {
			o := d.Paths[at][method]
			fmt.Fprintf(&out, "  /** %s */\n  '%s %s': { %s };\n", o.Summary, strings.ToUpper(method), at, o.route())
		}
	}
	out.WriteString("}\n")
	return out.String(), nil
}

// route is what the type of one route says.
func (o operation) route() string {
	takes := map[string][]string{}
	for _, p := range o.Parameters {
		mark := "?"
		if p.Required {
			mark = ""
		}
		takes[p.In] = append(takes[p.In], p.Name+mark+": string")
	}

	var parts []string
	for _, in := range []string{"path", "query"} {
		if len(takes[in]) > 0 {
			parts = append(parts, fmt.Sprintf("%s: { %s }", in, strings.Join(takes[in], "; ")))
		}
	}
	if body, ok := o.Body.Content["application/json"]; ok {
		parts = append(parts, "body: "+body.Schema.text(""))
	}
	return strings.Join(append(parts, "gives: "+o.gives()), "; ")
}

// gives is the type of the answer: undefined where there is none, or a file.
func (o operation) gives() string {
	var all []string
	if answer, ok := o.Responses["200"].Content["application/json"]; ok {
		all = append(all, answer.Schema.text(""))
	}
	if _, none := o.Responses["204"]; none || len(all) == 0 {
		all = append(all, "undefined")
	}
	return strings.Join(all, " | ")
}

// text is a schema as a type.
func (s *schema) text(indent string) string {
	switch {
	case s == nil:
		return "unknown"
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case len(s.Enum) > 0:
		return "'" + strings.Join(s.Enum, "' | '") + "'"
	case len(s.Alternative) > 0:
		var all []string
		for _, x := range s.Alternative {
			all = append(all, x.text(indent))
		}
		return strings.Join(all, " | ")
	}

	switch s.Type {
	case "string", "boolean":
		return s.Type
	case "integer", "number":
		return "number"
	case "array":
		return "Array<" + s.Items.text(indent) + ">"
	case "object":
		if s.Values != nil {
			return "{ [name: string]: " + s.Values.text(indent) + " }"
		}
		return s.object(indent)
	}
	return "unknown"
}

// object is a schema with properties, one on a line.
func (s *schema) object(indent string) string {
	var out strings.Builder
	out.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		mark := "?"
		if slices.Contains(s.Required, name) {
			mark = ""
		}
		fmt.Fprintf(&out, "%s  %s%s: %s;\n", indent, name, mark, s.Properties[name].text(indent+"  "))
	}
	return out.String() + indent + "}"
}
