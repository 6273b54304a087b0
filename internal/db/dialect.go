package db

import (
	"context"
	"strings"
	"time"
)

// dialect is what differs between databases. Statements are otherwise written
// in the SQL they share: INSERT … ON CONFLICT … DO UPDATE, RETURNING, ?1.
type dialect interface {
	name() string
	rewrite(query string) string // placeholders
	ddl(script string) string    // column types of a migration, written for SQLite
	begin(write bool) string
	glob(column, placeholder string) string
	pattern(p string) string
	check() string
	schema() string                                               // a query for kind, name, table and statement of all there is
	made(ctx context.Context, scripts []string) ([]object, error) // what schema finds in a new database after scripts
	hasTable(ctx context.Context, tx *Tx, name string) (bool, error)
	checkpoint(s *session, wait time.Duration) (all bool, err error) // on the writing connection; wait for readers; all: nothing is left to copy or sync
	keepLog(s *session) error                                        // closing makes no checkpoint
	fault(err error, text string) error                              // gives a driver's error its kind; nil stays nil
}

// dollar rewrites ?1 to $1 outside of string literals and quoted names, for
// PostgreSQL.
func dollar(query string) string {
	var b strings.Builder
	b.Grow(len(query))
	var quote byte

	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?' && i+1 < len(query) && query[i+1] >= '0' && query[i+1] <= '9':
			c = '$'
		}

		b.WriteByte(c)
	}

	return b.String()
}

// likePattern turns * and ? into % and _ and escapes these with a backslash,
// for databases without GLOB.
func likePattern(p string) string {
	return likeEscapes.Replace(p)
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`, "*", "%", "?", "_")
