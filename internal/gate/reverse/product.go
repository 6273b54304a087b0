package reverse

// Products are those for which there are ready-made rules.
func Products() []string { return []string{productOrthanc} }

const productOrthanc = "orthanc"

// looking are the roles that may see all patients.
func looking() []string { return []string{"administrator", "radiologist", "technologist"} }

// productRules are the rules to look at the pages of a product, and to do nothing else: nothing
// is stored, changed, deleted, sent, exported, downloaded or run. nil for one that is not known.
func productRules(product string) []Rule {
	if product != productOrthanc {
		return nil
	}
	return []Rule{{
		// Orthanc Explorer, and what of its plugins it shows.
		Name: "pages", Roles: looking(), Methods: []string{"GET"},
		Paths: []string{"/", "/app/**", "/plugins/explorer.js", "/ui/app/**", "/system"},
	}, {
		Name: "look", Roles: looking(), Methods: []string{"GET"},
		Paths: []string{
			"/patients", "/patients/*", "/patients/*/studies", "/patients/*/series", "/patients/*/instances",
			"/patients/*/shared-tags", "/patients/*/protected", "/patients/*/statistics", "/patients/*/metadata",
			"/studies", "/studies/*", "/studies/*/series", "/studies/*/instances", "/studies/*/patient",
			"/studies/*/shared-tags", "/studies/*/module-patient", "/studies/*/statistics", "/studies/*/metadata", "/studies/*/attachments",
			"/series", "/series/*", "/series/*/instances", "/series/*/study", "/series/*/patient",
			"/series/*/shared-tags", "/series/*/statistics", "/series/*/metadata", "/series/*/attachments",
			"/instances/*", "/instances/*/tags", "/instances/*/simplified-tags", "/instances/*/header", "/instances/*/frames",
			// Not rendered: width and height in its query have Orthanc make a picture of any size.
			"/instances/*/preview", "/instances/*/frames/*/preview",
			"/instances/*/series", "/instances/*/study", "/instances/*/patient", "/instances/*/statistics",
			"/instances/*/metadata", "/instances/*/attachments",
		},
	}, {
		// A search is a POST there, and changes nothing.
		Name: "search", Roles: looking(), Methods: []string{"POST"},
		Paths: []string{"/tools/find", "/tools/lookup", "/tools/count-resources"},
	}}
}
