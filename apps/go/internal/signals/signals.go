// Package signals takes SIGTERM and SIGINT from the earliest moment that a Go program can.
package signals

import (
	"context"
	"os/signal"
	"syscall"
)

// Stop is done from the first SIGTERM or SIGINT on. Later ones change nothing.
//
// It is a variable of a package that imports little, because such a package is initialised before the large ones, and
// long before main: until then a signal ends the process with code 2.
var Stop, _ = signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
