package finding

const (
	inOrthanc  = "Orthanc, orthanc.json"
	inDCM4CHEE = "dcm4chee, LDAP"
	inQRSCP    = "DCMTK, dcmqrscp.cfg"
	inDCMTK    = "DCMTK, command line"
	inConquest = "Conquest, firewall of its machine"
	inFirewall = "firewall, nftables"
	inGate     = "gate, command line"
)

// changeTable gives the exact change for a check, by product. Words in capitals
// are for the operator to fill in.
func changeTable(id string) []Change {
	switch id {
	case "ASC-001":
		return []Change{{inOrthanc, `"DicomCheckCalledAet" : true`}, firewallRule("DICOM")}
	case "ASC-002", "ASC-003", "ASC-007", "DIM-004", "DIM-005", "DIM-006", "DIM-009":
		return callers(id)
	case "DIM-001", "DIM-002", "DIM-003", "DIM-007", "DIM-008":
		return queries(id)
	case "ASC-004", "ASC-012":
		return []Change{gateRoute()}
	case "ASC-008":
		return []Change{{inOrthanc, `"MaximumPduLength" : 16384`}, {inQRSCP, "MaxPDUSize = 16384"}}
	case "ASC-009":
		return []Change{{inOrthanc, `"UnknownSopClassAccepted" : false`}}
	case "ASC-010":
		return []Change{{inOrthanc, `"DeflatedTransferSyntaxAccepted" : false`}, {inDCMTK, "storescp without +xd (deflated) and +xa (all)"}}
	case "ASC-013":
		return []Change{{inOrthanc, `"DicomAlwaysAllowEcho" : false`}}
	case "DIC-002", "TLS-001", "TLS-011", "TLS-008", "TLS-009":
		return transportChanges()
	case "TLS-002", "TLS-003":
		return oldTLS()
	}
	return webChanges(id)
}

func callers(id string) []Change {
	orthanc := `"DicomCheckModalityHost" : true,
"DicomAlwaysAllowStore" : false,
"DicomModalities" : { "NAME" : { "AET" : "AET_OF_THE_DEVICE", "Host" : "ADDRESS", "Port" : 104, "AllowStore" : true, "AllowFind" : false, "AllowMove" : false, "AllowGet" : false } }`
	if id == "DIM-006" {
		orthanc = `"OverwriteInstances" : false`
	}
	return []Change{
		{inOrthanc, orthanc},
		{inDCM4CHEE, "dn: dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org\nchangetype: modify\nadd: dcmAcceptedCallingAETitle\ndcmAcceptedCallingAETitle: AET_OF_THE_DEVICE"},
		{inQRSCP, "HostTable BEGIN\ndevice1 = (AET_OF_THE_DEVICE, ADDRESS, 104)\nallowed = device1\nHostTable END\nAETable BEGIN\nYOUR_AET  DIRECTORY  RW (200, 1024mb)  allowed\nAETable END"},
		{inConquest, firewallText("5678")},
		gateRoute(),
	}
}

func queries(id string) []Change {
	option := map[string]string{
		"DIM-001": "DicomAlwaysAllowFind", "DIM-002": "DicomAlwaysAllowFind", "DIM-003": "DicomAlwaysAllowFindWorklist",
		"DIM-007": "DicomAlwaysAllowMove", "DIM-008": "DicomAlwaysAllowGet",
	}[id]
	changes := callers(id)
	changes[0].Text = `"` + option + `" : false` + ",\n\"DicomCheckModalityHost\" : true"
	return changes
}

func gateRoute() Change {
	return Change{inGate, "collimator gate add PACS --protect AET@ADDRESS:PORT --allow DEVICE1,DEVICE2:echo,store"}
}

func firewallText(port string) string {
	return "nft add rule inet filter input tcp dport " + port + " ip saddr != { ADDRESS_OF_DEVICE, ADDRESS_OF_GATE } drop"
}

func firewallRule(what string) Change { return Change{inFirewall + ", " + what, firewallText("PORT")} }

func transportChanges() []Change {
	return []Change{
		{inOrthanc, `"DicomTlsEnabled" : true,
"DicomTlsCertificate" : "/etc/orthanc/dicom.crt",
"DicomTlsPrivateKey" : "/etc/orthanc/dicom.key",
"DicomTlsTrustedCertificates" : "/etc/orthanc/devices.crt",
"DicomTlsRemoteCertificateRequired" : true`},
		{inDCM4CHEE, "dn: cn=dicom-tls,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org\nchangetype: modify\nreplace: dcmTLSNeedClientAuth\ndcmTLSNeedClientAuth: TRUE\n-\nreplace: dcmTLSProtocol\ndcmTLSProtocol: TLSv1.2\ndcmTLSProtocol: TLSv1.3"},
		{inDCMTK, "storescp --enable-tls KEY.pem CERT.pem --add-cert-file DEVICES.pem --require-peer-cert 2762"},
		gateRoute(),
		firewallRule("DICOM without TLS"),
	}
}

func oldTLS() []Change {
	return []Change{
		{inOrthanc, `"SslMinimumProtocolVersion" : 4, "SslCiphersAccepted" : [ "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384" ]`},
		{inDCM4CHEE, "replace: dcmTLSProtocol\ndcmTLSProtocol: TLSv1.2\n-\nreplace: dicomTLSCipherSuite\ndicomTLSCipherSuite: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{inDCMTK, "--profile-bcp195-nd"},
		{"nginx, server block", "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384;"},
	}
}

func webChanges(id string) []Change {
	switch id {
	case "WEB-001", "WEB-021":
		return []Change{{inOrthanc, `"SslEnabled" : true, "SslCertificate" : "/etc/orthanc/https.pem"`}, {"nginx, server block", "listen 443 ssl;\nssl_certificate CERT.pem;\nssl_certificate_key KEY.pem;"}}
	case "WEB-002", "WEB-003", "WEB-004", "WEB-005":
		return []Change{{inOrthanc, `"AuthenticationEnabled" : true, "RegisteredUsers" : { "NAME" : "A_LONG_PASSWORD_OF_YOUR_OWN" }` + "\nor, for this machine alone:\n" + `"RemoteAccessAllowed" : false`}, firewallRule("web")}
	case "WEB-006":
		return []Change{{inOrthanc, `"ExecuteLuaEnabled" : false`}}
	case "WEB-007":
		return []Change{{inOrthanc, `"RestApiWriteToFileSystemEnabled" : false (from 1.12.0 on)`}}
	case "WEB-008":
		return []Change{{inDCM4CHEE, "deploy dcm4chee-arc-ear-VERSION-psql-secure.ear instead of the unsecured one"}, firewallRule("web")}
	case "WEB-009":
		return []Change{{"WildFly, start script", "standalone.sh -bmanagement 127.0.0.1"}}
	case "WEB-012":
		return []Change{{"nginx, location block", "autoindex off;"}, {"Apache, directory block", "Options -Indexes"}}
	case "WEB-014":
		return []Change{{"nginx, server block", "add_header Content-Security-Policy \"default-src 'self'\" always;\nadd_header X-Content-Type-Options nosniff always;"}}
	case "WEB-020":
		return []Change{{inOrthanc, `"MetricsEnabled" : false`}}
	case "HST-003", "HST-009":
		return []Change{{inGate, "collimator gate open ROUTE --to ADDRESS:PORT --for NAME --minutes 60"}, firewallRule("management")}
	case "HST-005":
		return []Change{firewallRule("management")}
	case "HST-008":
		return []Change{gateRoute(), {inGate, "collimator gate add NAME --outbound --from AET@ADDRESS --to AET@ADDRESS:PORT"}}
	case "HL7-001":
		return []Change{
			{inGate, "collimator gate add HL7 --messages --listen ADDRESS:2575 --to ADDRESS:2575 --allow DEVICE1:ADT,ORM"},
			firewallRule("HL7"),
		}
	case "HST-004":
		return []Change{{"Windows, PowerShell", "Set-SmbServerConfiguration -EnableSMB1Protocol $false"}, {"Samba, smb.conf", "server min protocol = SMB2\nmap to guest = Never"}}
	}
	return nil
}
