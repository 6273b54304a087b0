package house

import (
	"io"
	"log/slog"

	"collimator/internal/config"
	"collimator/internal/fault"
)

// NewLog is a log as the settings want it.
func NewLog(w io.Writer, l config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return nil, fault.Usage("log.level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return slog.New(slog.NewTextHandler(w, opts)), nil
}
