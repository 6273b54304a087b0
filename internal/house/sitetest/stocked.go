package sitetest

import (
	"context"
	"errors"
	"log/slog"

	"collimator/internal/house"
	"collimator/internal/policy"
)

// stocked is a data directory with the images of a site: what a server that takes
// them in writes is laid out for each test, which is quicker than taking them in.
var stocked = grown(Made, func(ctx context.Context, in *house.Installation) error {
	s, err := house.NewServer(in, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}

	for i := range 6 {
		err = errors.Join(err, ingest(ctx, s.Archive, i, byte(i)))
	}
	return errors.Join(err, s.Close())
})

// peopled is stocked, with a person of each role and a grant to the referrer.
var peopled = grown(stocked, func(ctx context.Context, in *house.Installation) error {
	for _, r := range policy.Roles() {
		if err := in.Registry.AddPerson(ctx, string(r), string(r), Password); err != nil {
			return err
		}
	}
	return in.Registry.GrantStudy(ctx, "referrer", "2.25.70")
})
