// Command tagwords writes the keywords of PS3.6 for the console, of dicom/tag: one text, loaded by the page
// that shows what an instance holds.
//
//	go run ./tools/tagwords dicom/tag/constants.go web/console/src/pages/study/dictionary.ts
package main

import (
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: tagwords CONSTANTS.go DICTIONARY.ts")
	}
	b, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], []byte(typeScript(b)), 0o644); err != nil {
		log.Fatal(err)
	}
}

var constant = regexp.MustCompile(`(?m)^\t(\w+) +Tag = 0x([0-9A-F]{8})`)

// typeScript is a group on a line: its number, then elements with their keywords.
func typeScript(b []byte) string {
	var out strings.Builder
	out.WriteString("// Written by tools/tagwords of dicom/tag. A group on a line; elements with their keywords.\nexport const dictionary = `")
	group := ""
	for _, m := range constant.FindAllStringSubmatch(string(b), -1) {
		keyword, tag := m[1], m[2]
		if tag[:4] != group {
			group = tag[:4]
			fmt.Fprintf(&out, "\n%s", group)
		}
		fmt.Fprintf(&out, " %s%s", tag[4:], keyword)
	}
	out.WriteString("\n`;\n")
	return out.String()
}
