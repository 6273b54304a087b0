package sender

import (
	"net"
	"strings"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
)

func TestAnIPv6AddressOfThePeerStandsInBrackets(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"PEER@[::1]:4242": "[::1]:4242", "PEER@[::1]": "[::1]:2762", "PEER@host": "host:2762", "PEER@::1:4242": "", "PEER@::1": "",
	} {
		called, address, err := (&Calling{Peer: given}).split()
		switch {
		case want == "" && (err == nil || !strings.Contains(err.Error(), "[::1]:2762")):
			t.Errorf("%s: %q, %v", given, address, err)
		case want != "" && (err != nil || called != "PEER" || address != want):
			t.Errorf("%s: %q %q, %v", given, called, address, err)
		}
	}
}

func TestTheHintOfARejectionIsForCollimatorServers(t *testing.T) {
	t.Parallel()
	d := &Peer{Address: "host:104"}
	for reason, hint := range map[ul.RejectReason]bool{ul.UserNoReason: true, ul.CallingAETitleNotRecognized: false, ul.CalledAETitleNotRecognized: false} {
		err := d.Explain(&dimse.RejectError{Result: ul.RejectedPermanent, Source: ul.RejectServiceUser, Reason: reason})
		if strings.Contains(err.Error(), "device pending") != hint {
			t.Errorf("reason %d: %v", reason, err)
		}
	}
}

func TestAPeerThatCutsTheHandshakeOffGivesAHint(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 64))
			conn.(*net.TCPConn).SetLinger(0) // with a reset
			conn.Close()
		}
	}()
	d, err := (Calling{Peer: "PEER@" + ln.Addr().String(), Pin: "00", AET: "WS1", Timeout: 10 * time.Second}).Find("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Dial(t.Context(), dimse.Propose([]string{"1.2.840.10008.1.1"}, NativeSyntaxes(), false), nil)
	if err == nil || !strings.Contains(err.Error(), "does the peer know the own certificate, and does it speak TLS") {
		t.Error(err)
	}
}
