// Package server runs the service from its start to its orderly end.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/stageproof/stageproof/apps/go/internal/config"
	"github.com/stageproof/stageproof/apps/go/internal/web"
)

const (
	headerTime = 10 * time.Second
	idleTime   = 75 * time.Second
	maxHeader  = 65536
)

// Run serves until ctx is done, then drains. It returns nil after an orderly end, even one that cut requests off.
func Run(ctx context.Context, config config.Config, logger *slog.Logger) error {
	// Without a host net listens on [::] for both families, and on 0.0.0.0 where IPv6 is off.
	listener, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(config.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	service := web.New(config, logger)
	server := &http.Server{
		Handler:           service.Handler(),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		// "OPTIONS *" is answered like every other unknown path.
		DisableGeneralOptionsHandler: true,
	}
	fresh := newFresh()
	server.ConnState = fresh.track
	server.RegisterOnShutdown(fresh.hurry)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	service.Ready()
	logger.Info("ready", "address", listener.Addr().String(), "version", config.Version)

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	service.Drain()
	logger.Info("draining", "seconds", config.Drain.Seconds())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(config.Drain):
	}
	stop(server, config.Shutdown, logger)
	return nil
}

// stop closes the socket and idle connections, and gives requests in flight some time.
func stop(server *http.Server, limit time.Duration, logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		logger.Warn("requests were cut off", "error", err.Error())
		_ = server.Close()
		return
	}
	logger.Info("stopped")
}
