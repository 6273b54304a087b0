package audit_test

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/internal/audit"
)

// attribute of an element of PS3.15 A.5.1.
type attribute struct {
	required bool
	form     *regexp.Regexp // of the whole value; nil: any
}

// child is a place in the content of an element: one of names, so often.
type child struct {
	names string
	often many
}

// grammar is the content of an element: its children in their order.
type grammar struct {
	attributes map[string]attribute
	children   []child
	text       *regexp.Regexp // of the character data; nil: none but white space
}

// messageSchema is the schema of PS3.15 A.5.1, as far as messages of ours go.
func messageSchema() map[string]grammar {
	form := func(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }
	must := func(pattern string) attribute { return attribute{true, form(pattern)} }
	may := func(pattern string) attribute { return attribute{false, form(pattern)} }
	const word, anything, oid, number = `\S(?:.*\S)?`, `(?s).*`, `[0-2](?:\.(?:0|[1-9][0-9]*))*`, `[0-9]+`
	const base64Text, moment = `[A-Za-z0-9+/]*={0,2}`, `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`
	optional, one, some, any := many{0, 1}, many{1, 1}, many{1, noLimit}, many{0, noLimit}
	coded := grammar{attributes: map[string]attribute{"csd-code": must(word), "codeSystemName": must(word), "displayName": may(word), "originalText": must(word)}}

	return map[string]grammar{
		"AuditMessage": {children: []child{
			{"EventIdentification", one}, {"ActiveParticipant", some}, {"AuditSourceIdentification", one}, {"ParticipantObjectIdentification", any},
		}},
		"EventIdentification": {
			attributes: map[string]attribute{"EventActionCode": may("[CRUDE]"), "EventDateTime": must(moment), "EventOutcomeIndicator": must("0|4|8|12")},
			children:   []child{{"EventID", one}, {"EventTypeCode", any}, {"EventOutcomeDescription", optional}},
		},
		"EventID": coded, "EventTypeCode": coded, "RoleIDCode": coded, "MediaType": coded, "ParticipantObjectIDTypeCode": coded,
		"EventOutcomeDescription": {text: form(anything)},
		"ActiveParticipant": {
			attributes: map[string]attribute{
				"UserID": must(word), "AlternativeUserID": may(word), "UserName": may(word), "UserIsRequestor": must("true|false"),
				"NetworkAccessPointID": may(word), "NetworkAccessPointTypeCode": may("[1-5]"),
			},
			children: []child{{"RoleIDCode", any}, {"MediaIdentifier", optional}},
		},
		"MediaIdentifier":           {children: []child{{"MediaType", one}}},
		"AuditSourceIdentification": {attributes: map[string]attribute{"AuditSourceID": must(word), "AuditEnterpriseSiteID": may(word)}},
		"ParticipantObjectIdentification": {
			attributes: map[string]attribute{
				"ParticipantObjectID": must(word), "ParticipantObjectTypeCode": must("[1-4]"), "ParticipantObjectTypeCodeRole": must("[1-9]|1[0-9]|2[0-4]"),
				"ParticipantObjectDataLifeCycle": may("[1-9]|1[0-5]"), "ParticipantObjectSensitivity": may(word),
			},
			children: []child{
				{"ParticipantObjectIDTypeCode", one}, {"ParticipantObjectName ParticipantObjectQuery", optional},
				{"ParticipantObjectDetail", any}, {"ParticipantObjectDescription", any},
			},
		},
		"ParticipantObjectName":   {text: form(word)},
		"ParticipantObjectQuery":  {text: form(base64Text)},
		"ParticipantObjectDetail": {attributes: map[string]attribute{"type": must(word), "value": must(base64Text)}},
		"ParticipantObjectDescription": {
			children: []child{{"MPPS", any}, {"Accession", any}, {"SOPClass", any}, {"ParticipantObjectContainsStudy", optional}, {"Encrypted", optional}, {"Anonymized", optional}},
		},
		"SOPClass": {attributes: map[string]attribute{"UID": must(oid), "NumberOfInstances": must(number)}, children: []child{{"Instance", any}}},
	}
}

// element is one of a message, as it stands there.
type element struct {
	name       string
	attributes []xml.Attr
	children   []*element
	text       string
}

func parsed(text string) (*element, error) {
	root := &element{}
	open := []*element{root}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root.children[0], nil
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch x := token.(type) {
		case xml.StartElement:
			e := &element{name: x.Name.Local, attributes: x.Copy().Attr}
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(x)
		}
	}
}

// against says what of an element leaves the schema.
func (e *element) against(schema map[string]grammar) (problems []string) {
	say := func(format string, args ...any) {
		problems = append(problems, e.name+": "+fmt.Sprintf(format, args...))
	}
	g, ok := schema[e.name]
	if !ok {
		return []string{"the element " + e.name + " is unknown"}
	}

	seen := map[string]bool{}
	for _, a := range e.attributes {
		seen[a.Name.Local] = true
		rule, ok := g.attributes[a.Name.Local]
		if !ok || rule.form != nil && !rule.form.MatchString(a.Value) {
			say("attribute %s=%q", a.Name.Local, a.Value)
		}
	}
	for name, rule := range g.attributes {
		if rule.required && !seen[name] {
			say("the attribute %s is missing", name)
		}
	}
	if g.text == nil && strings.TrimSpace(e.text) != "" || g.text != nil && !g.text.MatchString(e.text) {
		say("text %q", e.text)
	}

	rest := e.children
	for _, c := range g.children {
		n := 0
		for n < len(rest) && slices.Contains(strings.Fields(c.names), rest[n].name) {
			n++
		}
		if !c.often.holds(n) {
			say("%d of %s", n, c.names)
		}
		rest = rest[n:]
	}
	for _, c := range rest {
		say("%s at this place", c.name)
	}
	for _, c := range e.children {
		problems = append(problems, c.against(schema)...)
	}
	return problems
}

// TestMessagesAreValidByTheSchema holds every message against the schema of
// PS3.15 A.5.1, and what the tables of A.5.3 demand beside the numbers.
func TestMessagesAreValidByTheSchema(t *testing.T) {
	t.Parallel()
	schema := messageSchema()
	for name, r := range samples() {
		for _, outcome := range []audit.Outcome{audit.Success, audit.MinorFailure} {
			t.Run(fmt.Sprint(name, " ", outcome), func(t *testing.T) {
				t.Parallel()
				r.Outcome = outcome
				text, err := audit.NewMessage(r, "ARCHIVE").XML()
				if err != nil {
					t.Fatal(err)
				}
				e, err := parsed(text)
				if err != nil {
					t.Fatal(err)
				}
				for _, problem := range append(e.against(schema), demanded(e)...) {
					t.Errorf("%s in %s", problem, text)
				}
			})
		}
	}
}

// demanded says what is missing that a table demands of a field.
func demanded(e *element) (problems []string) {
	event := e.all("EventID")[0].value("csd-code")
	requestors := 0
	for i, p := range e.all("ActiveParticipant") {
		if p.value("UserIsRequestor") == "true" {
			requestors++
		}
		if event == "110114" && i == 0 && (p.value("NetworkAccessPointID") == "" || p.value("NetworkAccessPointTypeCode") == "") {
			problems = append(problems, "A.5.3.12: the person has no network access point")
		}
	}
	if requestors > 1 {
		problems = append(problems, "A.5.2: more than one requestor")
	}

	for _, o := range e.all("ParticipantObjectIdentification") {
		system := o.value("ParticipantObjectTypeCode") == "2"
		if system && len(o.all("ParticipantObjectName"))+len(o.all("ParticipantObjectQuery")) != 1 {
			problems = append(problems, "A.5.3: neither name nor query")
		}
		description := ""
		for _, d := range o.all("ParticipantObjectDetail") {
			if d.value("type") == "Alert Description" {
				b, _ := base64.StdEncoding.DecodeString(d.value("value"))
				description = string(b)
			}
		}
		if event == "110113" && description == "" {
			problems = append(problems, "A.5.3.11: no alert description")
		}
	}
	return problems
}

func (e *element) all(name string) (list []*element) {
	for _, c := range e.children {
		if c.name == name {
			list = append(list, c)
		}
		list = append(list, c.all(name)...)
	}
	return list
}

func (e *element) value(name string) string {
	for _, a := range e.attributes {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// The schema of the test finds what is not valid.
func TestTheSchemaOfTheTestFindsWhatIsNotValid(t *testing.T) {
	t.Parallel()
	good, err := audit.NewMessage(samples()["exported"], "ARCHIVE").XML()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"an action":         {`EventActionCode="R"`, `EventActionCode="X"`},
		"no requestor":      {` UserIsRequestor="true"`, ``},
		"an outcome":        {`EventOutcomeIndicator="0"`, `EventOutcomeIndicator="1"`},
		"an element":        {`<AuditSourceIdentification`, `<Foreign></Foreign><AuditSourceIdentification`},
		"another order":     {`<MediaIdentifier>`, `<RoleIDCode csd-code="1" codeSystemName="DCM" originalText="x"></RoleIDCode><MediaIdentifier></MediaIdentifier><MediaIdentifier>`},
		"name and query":    {`</ParticipantObjectName>`, `</ParticipantObjectName><ParticipantObjectQuery>AA==</ParticipantObjectQuery>`},
		"a time by no zone": {`12:00:00Z`, `12:00:00`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		e, err := parsed(bad)
		if bad == good || err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(e.against(messageSchema())) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}
