package alarm

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"collimator/internal/fault"
)

// SignatureHeader carries the time in seconds since 1970 and the HMAC-SHA256 of
// time, a full stop and the body: t=1764000000,v1=HEX.
const SignatureHeader = "Collimator-Signature"

// Webhook posts a message as JSON, signed with a secret that both sides know.
// It follows no redirect.
type Webhook struct {
	URL    string
	Secret []byte
	client *http.Client
}

var _ Channel = (*Webhook)(nil)

// NewWebhook makes one that is reached by a transport, such as that of an
// outward.Way.
func NewWebhook(url string, secret []byte, transport http.RoundTripper) *Webhook {
	return &Webhook{URL: url, Secret: secret, client: &http.Client{
		Timeout:       sendTime,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Name implements Channel. The path may be a secret and is left out.
func (h *Webhook) Name() string {
	rq, err := http.NewRequest(http.MethodPost, h.URL, nil)
	if err != nil {
		return "webhook"
	}
	return "webhook " + rq.URL.Host
}

// Send implements Channel.
func (h *Webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}

	rq, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "alarm: the address of the webhook cannot be asked")
	}
	rq.Close = true // the next alarm may be hours away
	rq.Header.Set("Content-Type", "application/json")
	rq.Header.Set("User-Agent", "collimator")
	rq.Header.Set(SignatureHeader, Sign(h.Secret, time.Now(), body))

	rs, err := h.client.Do(rq)
	if err != nil {
		return unreached(h.Name(), "alarms.webhook", err)
	}
	defer rs.Body.Close()
	io.Copy(io.Discard, io.LimitReader(rs.Body, 64<<10)) // what it says does not matter

	if rs.StatusCode < 200 || rs.StatusCode > 299 {
		return fault.Newf(fault.Unavailable, "alarm: %s answers with status %d", h.Name(), rs.StatusCode)
	}
	return nil
}

// Sign is the value of the signature header.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
