//go:build bench

package bench

import (
	"os"
	"testing"

	"collimator/interop/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Tests(m)) }
