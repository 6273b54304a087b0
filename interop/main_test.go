//go:build interop

package interop_test

import (
	"os"
	"testing"

	"collimator/interop/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Tests(m)) }
