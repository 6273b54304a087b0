package scan

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"collimator/internal/finding"
)

// hostPorts are the management services that are looked for on hosts with a
// service of imaging, TCP.
func hostPorts() []uint16 {
	return []uint16{21, 22, 23, 111, 407, 445, 873, 1433, 1521, 3283, 3306, 3389, 4899, 5432, 5631, 5900, 5938, 6129, 6379, 7070, 27017}
}

// hostProtocol is the management protocol that belongs to a port, empty for others.
func hostProtocol(port uint16) string {
	switch port {
	case 21:
		return "ftp"
	case 22:
		return "ssh"
	case 23:
		return "telnet"
	case 111:
		return "nfs"
	case 407:
		return "timbuktu"
	case 445:
		return "smb"
	case 873:
		return "rsync"
	case 1433:
		return "mssql"
	case 1521:
		return "oracle"
	case 3306:
		return "mysql"
	case 3389:
		return "rdp"
	case 4899:
		return "radmin"
	case 5432:
		return "postgresql"
	case 5900:
		return "vnc"
	case 6129:
		return "dameware"
	case 6379:
		return "redis"
	case 27017:
		return "mongodb"
	case 3283, 5631, 5938, 7070:
		return "remote"
	}
	return ""
}

// management looks for management services beside imaging.
func (v *visit) management(ctx context.Context, seen []uint16) {
	for _, port := range hostPorts() {
		if slices.Contains(seen, port) {
			continue
		}

		s := &finding.Service{Port: port, Kind: finding.KindOpen}
		err := v.manage(ctx, s, hostProtocol(port))
		if errors.Is(err, errDistress) || ctx.Err() != nil {
			return
		}

		if s.Host != nil {
			v.facts.Services = append(v.facts.Services, s)
		}
	}

	for _, u := range []struct {
		port     uint16
		protocol string
		request  []byte
		read     func([]byte) (string, bool)
	}{
		{port: 161, protocol: "snmp", request: snmpRequest(), read: decodeSNMP},
		{port: 623, protocol: "ipmi", request: rmcpPing(), read: decodeRMCP},
	} {
		if said, ok := v.datagram(ctx, u.port, u.request, u.read); ok {
			v.facts.Services = append(v.facts.Services, &finding.Service{
				Port: u.port,
				UDP:  true,
				Kind: finding.KindHost,
				Host: &finding.HostFacts{Protocol: u.protocol, Spoke: true, Banner: said, OS: said},
			})
		}
	}
}

// datagram sends one datagram and hands the first answer to read. It reports false
// where none comes in time.
func (v *visit) datagram(ctx context.Context, port uint16, request []byte, read func([]byte) (string, bool)) (string, bool) {
	l, err := v.dialNetwork(ctx, "udp", port)
	if err != nil {
		return "", false
	}
	defer l.Close()

	l.SetDeadline(v.opt.Now().Add(min(v.opt.Timeout, v.opt.ConnectTimeout)))
	if _, err := l.Write(request); err != nil {
		return "", false
	}
	return read(readSome(l, 1500))
}

// manage asks one management service for its greeting, and no more.
func (v *visit) manage(ctx context.Context, s *finding.Service, protocol string) error {
	l, err := v.dial(ctx, s.Port)
	if err != nil {
		if errors.Is(err, errDistress) || ctx.Err() != nil {
			return err
		}
		return nil // closed
	}
	defer l.Close()

	s.Kind = finding.KindHost
	s.Host = &finding.HostFacts{Protocol: protocol}

	switch protocol {
	case "ftp":
		v.ftp(l, s.Host)
	case "ssh":
		sshGreeting(l, s.Host)
	case "smb":
		exchangeWith(l, smbNegotiate(), s.Host, decodeSMB)
	case "rdp":
		exchangeWith(l, rdpRequest(), s.Host, decodeRDP)
	case "vnc":
		vncGreeting(l, s.Host)
	case "mysql":
		decodeMySQL(readSome(l, 512), s.Host)
	case "postgresql":
		exchangeWith(l, []byte{0, 0, 0, 8, 4, 210, 22, 47}, s.Host, decodePostgreSQL)
	case "mssql":
		exchangeWith(l, tdsPrelogin(), s.Host, decodeTDS)
	case "mongodb":
		exchangeWith(l, mongoHello(), s.Host, decodeMongo)
	case "redis":
		exchangeWith(l, []byte("PING\r\n"), s.Host, decodeRedis)
	case "rsync":
		rsyncModules(l, s.Host)
	case "nfs":
		return v.exports(ctx, l, s.Host)
	}
	return nil
}

func exchangeWith(c io.ReadWriter, request []byte, h *finding.HostFacts, decode func([]byte, *finding.HostFacts)) {
	if _, err := c.Write(request); err == nil {
		decode(readSome(c, 2048), h)
	}
}

// firstLine is the start of what a peer says, up to the end of the line.
func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return clean(strings.TrimSpace(line), 80)
}

// ftp reads the greeting; where opted in it asks for anonymous access. It says
// QUIT and lists nothing.
func (v *visit) ftp(c io.ReadWriter, h *finding.HostFacts) {
	greeting := readSome(c, 512)
	h.Banner = firstLine(greeting)
	h.Spoke = strings.HasPrefix(h.Banner, "220")

	if h.Spoke && v.opt.OptIn["anonymous-ftp"] {
		io.WriteString(c, "USER anonymous\r\n")
		code := string(readSome(c, 256))
		if strings.HasPrefix(code, "331") {
			io.WriteString(c, "PASS collimator-scan@example.invalid\r\n")
			code = string(readSome(c, 256))
		}
		h.Open = strings.HasPrefix(code, "230")
	}

	io.WriteString(c, "QUIT\r\n")
	readSome(c, 64)
}

// rsyncModules asks for the list of modules; only their number is noted.
func rsyncModules(c io.ReadWriter, h *finding.HostFacts) {
	greeting := firstLine(readSome(c, 256))
	h.Spoke = strings.HasPrefix(greeting, "@RSYNCD:")
	if !h.Spoke {
		return
	}

	h.Banner = greeting

	io.WriteString(c, "@RSYNCD: 29.0\n\n")

	list, _ := io.ReadAll(io.LimitReader(c, 16<<10))
	h.Names = countLines(list)
	h.Open = len(h.Names) > 0
}

// countLines numbers the modules in a list; their names are not kept.
func countLines(list []byte) []string {
	var out []string
	for _, line := range strings.Split(string(list), "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "@") && strings.Contains(line, "\t") && len(out) < 100 {
			out = append(out, "module")
		}
	}
	return out
}

// hl7 only connects, unless a frame was opted in: a malformed message stops
// some receivers, so nothing but an empty frame or a whole query is ever sent.
func (v *visit) hl7(ctx context.Context, s *finding.Service) error {
	s.Kind = finding.KindHL7
	s.HL7 = &finding.HL7{}
	if !v.opt.OptIn["hl7-frame"] && !v.opt.OptIn["hl7-message"] {
		return nil // the sweep connected and closed
	}

	if v.opt.OptIn["hl7-frame"] {
		l, err := v.dial(ctx, s.Port)
		if err != nil {
			return err
		}

		l.Write([]byte{0x0B, 0x1C, 0x0D})
		s.HL7.Framed = isFrame(readSome(l, 4096))
		l.Close()
	}

	if v.opt.OptIn["hl7-message"] {
		l, err := v.dial(ctx, s.Port)
		if err != nil {
			return err
		}

		l.Write(hl7Query(v.opt.Now().UTC().Format("20060102150405")))
		s.HL7.Acknowledgement = acknowledgement(readSome(l, 16<<10))
		s.HL7.Framed = s.HL7.Framed || s.HL7.Acknowledgement != ""
		l.Close()
	}
	return nil
}
