package reverse

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of browsers that are signed in at a route.
const (
	visitsMost   = 4096
	visitsOfMost = 16             // of one person; the oldest give way
	visitFor     = 24 * time.Hour // sessions end before
	cookiesMost  = 32             // of the system behind, in one visit
	cookieMost   = 4 << 10        // bytes of one
	jarMost      = 8 << 10        // bytes of all: servers take no more in a header
)

// visit is one browser at one route: whose it is, and the cookies of the system behind.
type visit struct {
	guest Guest
	began time.Time

	mu      sync.Mutex
	cookies []*http.Cookie
}

// visits are those of a route. Safe for concurrent use.
type visits struct {
	now func() time.Time

	mu  sync.Mutex
	all map[string]*visit // by the hash of the secret
}

func newVisits(now func() time.Time) *visits { return &visits{now: now, all: map[string]*visit{}} }

// add begins a visit and gives its secret.
func (v *visits) add(g Guest) (secret string) {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.makeRoom(now, g.Person)
	secret = newSecret()
	v.all[hashOf(secret)] = &visit{guest: g, began: now}
	return secret
}

// makeRoom ends visits that are over, and of this person, or of all, the oldest where there are too
// many. Called with mu held.
func (v *visits) makeRoom(now time.Time, person string) {
	count, oldest, oldestOf := 0, "", ""
	for key, x := range v.all {
		if now.Sub(x.began) > visitFor {
			delete(v.all, key)
			continue
		}
		if oldest == "" || x.began.Before(v.all[oldest].began) {
			oldest = key
		}
		if x.guest.Person != person {
			continue
		}
		count++
		if oldestOf == "" || x.began.Before(v.all[oldestOf].began) {
			oldestOf = key
		}
	}

	switch {
	case count >= visitsOfMost:
		delete(v.all, oldestOf)
	case len(v.all) >= visitsMost:
		delete(v.all, oldest)
	}
}

// of is the visit of a secret; nil where there is none.
func (v *visits) of(secret string) *visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all[hashOf(secret)]
}

// end ends the visit of a secret.
func (v *visits) end(secret string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, hashOf(secret))
}

func (v *visits) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.all)
}

// keep takes down what the system behind wants a browser to keep. More than there is room for is
// left out.
func (x *visit) keep(lines []string, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil || len(line) > cookieMost {
			continue
		}
		if !strings.HasPrefix(c.Path, "/") {
			c.Path = "/"
		}

		i := 0
		for i < len(x.cookies) && (x.cookies[i].Name != c.Name || x.cookies[i].Path != c.Path) {
			i++
		}
		if c.MaxAge != 0 { // it counts before Expires (RFC 6265 5.3)
			c.Expires = now.Add(time.Duration(min(c.MaxAge, int(visitFor/time.Second))) * time.Second)
		}
		over := !c.Expires.IsZero() && c.Expires.Before(now)
		switch {
		case i < len(x.cookies) && over:
			x.cookies = append(x.cookies[:i], x.cookies[i+1:]...)
		case i < len(x.cookies):
			x.cookies[i] = c
		case !over && len(x.cookies) < cookiesMost:
			x.cookies = append(x.cookies, c)
		}
		if x.held() > jarMost {
			x.cookies = slices.DeleteFunc(x.cookies, func(other *http.Cookie) bool { return other == c })
		}
	}
}

// held is how much the cookies are, in bytes. Called with mu held.
func (x *visit) held() (n int) {
	for _, c := range x.cookies {
		n += len(c.Name) + len(c.Value) + len(c.Path)
	}
	return n
}

// bring puts the cookies on a request to the system behind (RFC 6265 5.4).
func (x *visit) bring(r *http.Request, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.cookies {
		over := !c.Expires.IsZero() && c.Expires.Before(now)
		if !over && within(c.Path, r.URL.Path) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
		}
	}
}

// within reports whether a path is below that of a cookie.
func within(of, path string) bool {
	rest, ok := strings.CutPrefix(path, of)
	return ok && (rest == "" || strings.HasSuffix(of, "/") || rest[0] == '/')
}
