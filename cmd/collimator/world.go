package main

// What a container without anything but the program lacks: the names of time
// zones, and whom to believe for certificates where the system has no list
// (Mozilla's, as of the version in go.mod).
import (
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)
