package finding

import "strings"

// fixOf is what to do about a check, with the exact change where the product is
// known. product is a lower-case name; empty gives the changes for the usual ones.
func fixOf(id, product string) Fix {
	fix, ok := fixTable()[id]
	if !ok {
		return Fix{Do: "Note it in the inventory.", Effort: Minutes}
	}
	var mine []Change
	for _, c := range changeTable(id) {
		name, _, _ := strings.Cut(strings.ToLower(c.Where), ",")
		switch {
		case name == "gate" || name == "firewall":
			mine = append(mine, c)
		case product == "" || strings.Contains(product, name) || strings.Contains(name, product):
			mine = append(mine, c)
		}
	}
	fix.Changes = mine
	return fix
}

// FixOf is what to do about a check, whatever the product, with the changes of all of them.
func FixOf(check string) Fix { return fixOf(check, "") }

// fixTable says for each check what to do; every sentence begins with a verb.
func fixTable() map[string]Fix {
	return map[string]Fix{
		"DIC-001": {"Note the service in the inventory and name its owner.", Minutes, nil},
		"DIC-002": {"Turn on TLS for DICOM, or put a gate in front that speaks TLS and let only the gate reach the port.", Hours, nil},
		"DIC-003": {"Add the port to the lists of your firewall and monitoring.", Minutes, nil},
		"DIC-004": {"Move the system into an imaging zone, or block the way to it.", Days, nil},
		"DIC-005": {"Take the system off the public address; reach it over a VPN.", Hours, nil},
		"DIC-006": {"Check whether the honeypot is yours.", Minutes, nil},
		"ASC-001": {"Check the called AE title, and let only known callers in.", Minutes, nil},
		"ASC-002": {"List the AE titles and addresses that may call; better, ask for client certificates.", Hours, nil},
		"ASC-003": {"Change the AE title, and let only known callers in: a title is no password.", Hours, nil},
		"ASC-004": {"Give one answer to all unknown callers, or put a gate in front that does.", Hours, nil},
		"ASC-005": {"Bind callers to client certificates instead; this service knows no users.", Days, nil},
		"ASC-006": {"Report it to the vendor, and block the port for all but known devices.", Days, nil},
		"ASC-007": {"Bind the AE title to the address or the certificate of the device.", Hours, nil},
		"ASC-008": {"Set a maximum PDU length of at most 1 MiB.", Minutes, nil},
		"ASC-009": {"Refuse SOP classes that nobody needs.", Minutes, nil},
		"ASC-010": {"Turn off Deflated and Explicit VR Big Endian.", Minutes, nil},
		"ASC-011": {"Keep the version in the inventory and watch its advisories.", Minutes, nil},
		"ASC-012": {"Put a gate in front: it opens the connection to the service only when a whole request is there.", Hours, nil},
		"ASC-013": {"Allow C-ECHO to known callers only, where the product can.", Minutes, nil},
		"DIM-001": {"Refuse C-FIND to callers who are not listed.", Hours, nil},
		"DIM-002": {"Refuse C-FIND to callers who are not listed, and look in the log who asked before.", Hours, nil},
		"DIM-003": {"Refuse worklist queries to callers who are not listed.", Hours, nil},
		"DIM-004": {"Refuse storage to callers who are not listed.", Hours, nil},
		"DIM-005": {"Delete the test object, and refuse storage to callers who are not listed.", Hours, nil},
		"DIM-006": {"Keep the first object and hold the second back; delete the test objects.", Hours, nil},
		"DIM-007": {"Refuse C-MOVE to callers who are not listed, and send only to listed destinations.", Hours, nil},
		"DIM-008": {"Refuse C-GET to callers who are not listed.", Hours, nil},
		"DIM-009": {"Turn off the services that nobody uses, and list who may call the others.", Hours, nil},
		"DIM-010": {"Turn off the services that nobody uses.", Hours, nil},
		"TLS-001": {"Open a DICOM port with TLS and client certificates, then move the equipment over.", Days, nil},
		"TLS-002": {"Set TLS 1.2 as the oldest version.", Minutes, nil},
		"TLS-003": {"Allow only ECDHE with AES-GCM or ChaCha20.", Minutes, nil},
		"TLS-004": {"Renew the certificate, for 398 days or less.", Hours, nil},
		"TLS-005": {"Get a certificate from your own authority, or pin this one on every peer.", Hours, nil},
		"TLS-006": {"Issue the certificate for the name and address by which the service is called.", Hours, nil},
		"TLS-007": {"Replace it by one with ECDSA P-256 or RSA 2048 and SHA-256.", Hours, nil},
		"TLS-008": {"Ask for client certificates, and trust only your own authority.", Hours, nil},
		"TLS-009": {"Verify client certificates against your own authority.", Hours, nil},
		"TLS-010": {"Make a new key and certificate now.", Hours, nil},
		"TLS-011": {"Close the port without TLS once the equipment has moved.", Days, nil},
		"WEB-001": {"Turn on HTTPS and redirect to it.", Hours, nil},
		"WEB-002": {"Turn on sign-in for DICOMweb.", Minutes, nil},
		"WEB-003": {"Turn on sign-in for DICOMweb and WADO.", Minutes, nil},
		"WEB-004": {"Turn on sign-in for DICOMweb, and allow STOW-RS to known senders only.", Minutes, nil},
		"WEB-005": {"Turn on authentication of Orthanc, or let it listen on the machine alone.", Minutes, nil},
		"WEB-006": {"Turn off Lua over REST.", Minutes, nil},
		"WEB-007": {"Update Orthanc to 1.12.0 or later, or check that your distribution has the patch.", Hours, nil},
		"WEB-008": {"Install the secured build of dcm4chee-arc with Keycloak, and close the unsecured one.", Days, nil},
		"WEB-009": {"Bind the management interface to the machine itself.", Minutes, nil},
		"WEB-010": {"Remove the data sources dicomwebproxy and dicomjson from app-config.js, and update OHIF to 3.12.2.", Hours, nil},
		"WEB-011": {"Update OHIF to 3.12.2 or later.", Hours, nil},
		"WEB-012": {"Turn off the listing and take the files off the web server.", Minutes, nil},
		"WEB-013": {"Name the allowed origins instead of repeating what was sent.", Minutes, nil},
		"WEB-014": {"Send Content-Security-Policy and X-Content-Type-Options: nosniff.", Minutes, nil},
		"WEB-015": {"Change the password now, and look in the log who used it.", Minutes, nil},
		"WEB-016": {"Let only the networks of those who need it reach the portal.", Hours, nil},
		"WEB-017": {"Install the vendor's update, and block the services at the proxy.", Days, nil},
		"WEB-018": {"Update Sante PACS Server to 4.2.3 or later.", Hours, nil},
		"WEB-019": {"Update Mirth Connect to 4.4.1 or later now; until then take it off the network.", Hours, nil},
		"WEB-020": {"Allow metrics and descriptions to the monitoring system only.", Minutes, nil},
		"WEB-021": {"Turn on HTTPS, then change the passwords that were used.", Hours, nil},
		"WEB-022": {"Turn on sign-in for FHIR.", Hours, nil},
		"HST-001": {"Turn off telnet; use SSH.", Hours, nil},
		"HST-002": {"Turn off FTP; use SFTP or FTPS with accounts.", Hours, nil},
		"HST-003": {"Turn it off, or let people reach it through a door of the gate, for an hour and with a second factor.", Hours, nil},
		"HST-004": {"Turn off SMB 1 and guests; where the device cannot, isolate it.", Days, nil},
		"HST-005": {"Bind the database to the machine itself.", Hours, nil},
		"HST-006": {"Change the community, better use SNMPv3, or turn SNMP off.", Minutes, nil},
		"HST-007": {"Update the SSH server, and turn off the obsolete algorithms.", Hours, nil},
		"HST-008": {"Plan the replacement; until then isolate the device behind a gate.", Project, nil},
		"HST-009": {"Open remote maintenance only on request, by a door of the gate or a jump host.", Hours, nil},
		"HST-010": {"Restrict exports and modules to the machines that need them.", Hours, nil},
		"HST-011": {"Move the controller into a management network.", Hours, nil},
		"HST-012": {"Restrict the management to the administrators' network, and set a password.", Hours, nil},
		"HL7-001": {"Let only the systems that send messages reach the port, or put a gate with TLS in front.", Hours, nil},
		"HL7-002": {"Turn on TLS for MLLP, or carry it in a tunnel.", Days, nil},
		"HL7-003": {"List the sending facilities and addresses that are accepted.", Hours, nil},
	}
}
