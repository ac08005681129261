// Package config reads the service's settings from the environment.
package config

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/stageproof/stageproof/apps/go/internal/whole"
)

// Never is longer than any process lives.
const Never = time.Duration(math.MaxInt64)

const maxSeconds = 3600

// Config is everything that the environment decides.
type Config struct {
	Port     int
	LogLevel slog.Level
	Drain    time.Duration // after SIGTERM, new connections are still answered for this long
	Shutdown time.Duration // after that, requests in flight may take this long to finish

	Version, Commit, Built string

	UnhealthyAfter time.Duration // for tests: /healthz fails from here on
	Delay          time.Duration // for tests: /qr waits this long
}

// Lookup finds an environment variable, as os.LookupEnv does.
type Lookup func(name string) (value string, set bool)

// FromEnv reads all settings. The error names the first variable that has a bad value.
func FromEnv(lookup Lookup) (Config, error) {
	env := reader{lookup: lookup}
	config := Config{
		Port:           env.number("PORT", 1, 65535, 8080),
		LogLevel:       env.level("LOG_LEVEL", slog.LevelInfo),
		Drain:          env.seconds("DRAIN_SECONDS", time.Second),
		Shutdown:       env.seconds("SHUTDOWN_SECONDS", 8*time.Second),
		Version:        env.text("APP_VERSION", "0.0.0"),
		Commit:         env.text("APP_COMMIT", "unknown"),
		Built:          env.text("APP_BUILT", "unknown"),
		UnhealthyAfter: env.chaos("CHAOS_UNHEALTHY_AFTER", Never),
		Delay:          env.chaos("CHAOS_DELAY", 0),
	}
	return config, env.err
}

// Port reads the port alone, which is all that the health check needs.
func Port(lookup Lookup) (int, error) {
	env := reader{lookup: lookup}
	port := env.number("PORT", 1, 65535, 8080)
	return port, env.err
}

// reader keeps the first error, so that each setting is one line above.
type reader struct {
	lookup Lookup
	err    error
}

func (r *reader) text(name, fallback string) string {
	if value, set := r.lookup(name); set {
		return value
	}
	return fallback
}

func (r *reader) number(name string, low, high, fallback int) int {
	value, set := r.lookup(name)
	if !set {
		return fallback
	}
	number, ok := whole.Number(value, low, high)
	if !ok {
		r.fail("%s: %q is not a whole number from %d to %d", name, value, low, high)
	}
	return number
}

func (r *reader) seconds(name string, fallback time.Duration) time.Duration {
	return time.Duration(r.number(name, 0, maxSeconds, int(fallback/time.Second))) * time.Second
}

// chaos reads seconds that are off when the variable is missing or empty.
func (r *reader) chaos(name string, off time.Duration) time.Duration {
	if value, _ := r.lookup(name); value == "" {
		return off
	}
	return r.seconds(name, off)
}

func (r *reader) level(name string, fallback slog.Level) slog.Level {
	value, set := r.lookup(name)
	if !set {
		return fallback
	}
	switch value {
	case "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	r.fail("%s: %q is not one of debug, info, warning, error", name, value)
	return fallback
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}
