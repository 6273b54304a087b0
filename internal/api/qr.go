package api

import (
	"rsc.io/qr"

	"collimator/internal/fault"
	"collimator/internal/webapi"
)

// registerQR puts the route that draws on the guard's multiplexer.
func (s *Services) registerQR(a *webapi.API) {
	a.Own("POST /api/v1/qr", s.drawQR)
	a.Describe(map[string]webapi.Doc{
		"POST /api/v1/qr": webapi.Does("Draw a text as a QR code").Takes(qrText{}).Gives(qrCode{}),
	})
}

// qrText is what is drawn: a link that is shown once, or the address of an app's key. It comes in the body,
// which nothing keeps.
type qrText struct {
	Text string `json:"text"`
}

// qrCode are the modules of a code, row by row, 1 for a dark one. Four light ones belong around it.
type qrCode struct {
	Rows []string `json:"rows"`
}

// qrMost is the longest text, in bytes.
const qrMost = 1024

func (s *Services) drawQR(rq *webapi.Request) (any, error) {
	var in qrText
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if in.Text == "" || len(in.Text) > qrMost {
		return nil, fault.Newf(fault.Invalid, "api: text has 1 to %d bytes", qrMost)
	}
	code, err := qr.Encode(in.Text, qr.M)
	if err != nil {
		return nil, fault.New(fault.Invalid, "api: this text cannot be drawn")
	}

	out := qrCode{Rows: make([]string, code.Size)}
	for y := range out.Rows {
		row := make([]byte, code.Size)
		for x := range row {
			row[x] = '0'
			if code.Black(x, y) {
				row[x] = '1'
			}
		}
		out.Rows[y] = string(row)
	}
	return out, nil
}
