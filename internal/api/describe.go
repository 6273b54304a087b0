package api

import (
	"collimator/internal/advisory"
	"collimator/internal/audit"
	"collimator/internal/gate/maintenance"
	"collimator/internal/identity"
	"collimator/internal/inventory"
	"collimator/internal/posture"
	"collimator/internal/report"
	"collimator/internal/webapi"
)

// describe says what the routes do, for openapi.json.
func (s *Services) describe(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/shares": webapi.Does("List the links to studies: one's own, of an administrator all").
			Gives(webapi.List[*identity.Share]{}),
		"POST /api/v1/shares":        webapi.Does("Make a link to a study").Takes(newLink{}).Gives(madeLink{}),
		"DELETE /api/v1/shares/{id}": webapi.Does("Revoke a link to a study").GivesNothing(),

		"POST /api/v1/gate/pages": webapi.Does("Let this browser into the pages of a system behind a route of the gate").
			Takes(pageVisit{}).Gives(webapi.Location{}),
		"GET /api/v1/events": webapi.Does("Tell what has changed, by server-sent events: \"changed\" with a list of topics").
			GivesFile("text/event-stream"),
		"GET /api/v1/openapi.json": webapi.Does("Describe this API").Gives(webapi.Any{}),
	})
}

// describeRecords says by what the trail is searched.
func describeRecords() webapi.Doc {
	return filtered(webapi.Does("Search the audit trail, the oldest record first").Gives(webapi.List[audit.Record]{}))
}

// filtered adds by what records are chosen.
func filtered(d webapi.Doc) webapi.Doc {
	return d.
		With("event", "What happened, by its word").
		With("principal", "Who did it, by name: a person, a device, a token").
		With("person", "A person who did it, or whom it is about").
		With("patient", "A Patient ID: all that was done with their studies").
		With("study", "A Study Instance UID").
		With("address", "The IP address from which it came").
		With("door", "By which way in: one of the doors").
		With("action", "What was done: stored, read, deleted ...").
		With("failed", "true: only what failed").
		With("since", "A day or a time: not before").
		With("until", "A day or a time: not after")
}

func (s *Services) describeSurface(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/assets": webapi.Does("List the systems that were found in the network").
			Gives(webapi.List[*inventory.Asset]{}).
			With("refused", "true: also callers that are known only because they were refused"),
		"GET /api/v1/assets/{id}": webapi.Does("Show a system with its issues").Gives(assetDetail{}),
		"POST /api/v1/assets/{id}/merge": webapi.Does("Say that two systems are one").
			Takes(merger{}).Gives(inventory.Asset{}),

		"GET /api/v1/issues": webapi.Does("List what is wrong, the worst first").
			Gives(webapi.List[inventory.Issue]{}).
			With("severity", "The least severity: critical, high, medium, low or info").
			With("state", "open, accepted or fixed; without it open and accepted").
			With("asset", "The number of a system"),
		"POST /api/v1/issues/{id}/accept": webapi.Does("Live with an issue until a day").
			Takes(acceptance{}).Gives(inventory.Issue{}),
		"GET /api/v1/changes": webapi.Does("List what has changed in the network").
			Gives(webapi.List[inventory.Change]{}).
			With("since", "A day or a time; without it a week ago").
			With("asset", "The number of a system"),
		"GET /api/v1/advisories/{id}": webapi.Does("Show an advisory: a row for each product it names").
			Gives(webapi.List[advisory.Advisory]{}),
		"GET /api/v1/report": webapi.Does("Make a report about the attack surface").Gives(report.Report{}).
			GivesFile("text/html", "application/pdf", "text/csv", "application/sarif+json").
			With("format", "json, html, pdf, csv or sarif").
			With("since", "What changed since then is told; without it since the last report"),

		"GET /api/v1/scans": webapi.Does("List scans, the newest first").Gives(webapi.List[posture.Job]{}),
		"POST /api/v1/scans": webapi.Does("Begin a scan within the declared scope").
			Takes(scanOrder{}).Gives(posture.Job{}),
		"GET /api/v1/scans/{id}":    webapi.Does("Show a scan and how far it is").Gives(posture.Job{}),
		"DELETE /api/v1/scans/{id}": webapi.Does("Stop a scan; what was found stays").Gives(posture.Job{}),
	})
}

func (s *Services) describeDoors(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/gate/doors": webapi.Does("List the doors for maintenance").
			Gives(webapi.List[maintenance.Door]{}),
		"POST /api/v1/gate/doors": webapi.Does("Open a door for somebody who maintains a system").
			Takes(doorOrder{}).Gives(openedDoor{}),
		"DELETE /api/v1/gate/doors/{id}": webapi.Does("Shut a door").GivesNothing(),

		"POST /api/v1/door": webapi.Does("Come to the door that was opened for oneself").
			Takes(doorCode{}).Gives(ownedDoor{}),
		"GET /api/v1/door":            webapi.Does("Show the door at which one is").Gives(ownedDoor{}),
		"DELETE /api/v1/door":         webapi.Does("Leave a door").GivesNothing(),
		"GET /api/v1/door/connection": webapi.Does("Make a connection to the system behind the door (101, another protocol)"),
	})
}
