package house_test

import (
	"os"
	"testing"

	"collimator/internal/house/sitetest"
)

func TestMain(m *testing.M) { os.Exit(sitetest.Run(m)) }
