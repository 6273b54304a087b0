package places

import (
	"net"
	"net/http"
	"testing"
)

// browse is a connection on which something was asked for and answered.
func (d *door) browse(from string) (client, server net.Conn, admitted bool) {
	d.Helper()
	client, server = d.dial(from)
	d.ConnState(server, http.StateActive)
	admitted = d.Admit(server.RemoteAddr())
	d.ConnState(server, http.StateIdle)
	return client, server, admitted
}

func TestConnectionsOnWhichNothingIsAskedForKeepNobodyOut(t *testing.T) {
	t.Parallel()
	lim := small()
	lim.Admitted, lim.AdmittedPerAddress = 4, 3
	d := open(t, lim)
	var hoard []net.Conn
	for i := range 3 {
		client, _, admitted := d.browse("127.0.0.2")
		if !admitted {
			t.Fatal(i)
		}
		hoard = append(hoard, client)
	}
	d.browse("127.0.0.3")

	if _, _, admitted := d.browse("127.0.0.4"); !admitted {
		t.Error("an address with no connection was kept out by those that rest")
	}
	if !ended(hoard[0]) {
		t.Error("it was not the oldest of the address with most of them that gave way")
	}
	for i := range 3 {
		if _, _, admitted := d.browse("127.0.0.2"); !admitted {
			t.Errorf("%d: others behind the same address were kept out", i)
		}
	}
	if u := d.Usage(); u.Admitted != 4 {
		t.Errorf("%+v", u)
	}
}

func TestAssociationsAndRequestsThatAreAnsweredDoNotGiveWay(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	for _, from := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"} {
		_, server := d.dial(from)
		if from != "127.0.0.2" { // the first is an association: nobody says what is asked for there
			d.ConnState(server, http.StateActive)
		}
		if !d.Admit(server.RemoteAddr()) {
			t.Fatal(from)
		}
	}
	if _, _, admitted := d.browse("127.0.0.5"); admitted {
		t.Error("one gave way")
	}
}
