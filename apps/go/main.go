// Command qr serves QR codes over HTTP. Its environment is its configuration; see README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/stageproof/stageproof/apps/go/internal/config"
	"github.com/stageproof/stageproof/apps/go/internal/logs"
	"github.com/stageproof/stageproof/apps/go/internal/probe"
	"github.com/stageproof/stageproof/apps/go/internal/server"
	"github.com/stageproof/stageproof/apps/go/internal/signals"
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	os.Exit(run(signals.Stop, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	switch {
	case len(args) == 0:
		return serve(ctx)
	case slices.Equal(args, []string{"healthcheck"}):
		return healthcheck()
	}
	fmt.Fprintln(os.Stderr, "usage: qr [healthcheck]")
	return exitUsage
}

func serve(ctx context.Context) int {
	settings, err := config.FromEnv(os.LookupEnv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	}
	logger := logs.New(os.Stdout, settings.LogLevel)
	if err := server.Run(ctx, settings, logger); err != nil {
		logger.Error("the service failed", "error", err.Error())
		return exitFailure
	}
	return exitOK
}

// healthcheck never returns 2, which Docker reserves.
func healthcheck() int {
	port, err := config.Port(os.LookupEnv)
	if err == nil {
		err = probe.Health(port)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "healthcheck:", err)
		return exitFailure
	}
	return exitOK
}
