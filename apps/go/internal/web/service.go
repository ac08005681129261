// Package web answers the service's requests.
package web

import (
	_ "embed"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/stageproof/stageproof/apps/go/internal/config"
)

//go:embed page.html
var page []byte

// Service is the QR-code maker.
type Service struct {
	config  config.Config
	logger  *slog.Logger
	metrics *metrics
	began   time.Time
	state   atomic.Value // what /readyz says
	drawing chan struct{}
}

const (
	starting = "starting"
	ready    = "ready"
	draining = "draining"
)

// New returns a service that is not ready yet.
func New(config config.Config, logger *slog.Logger) *Service {
	s := &Service{
		config: config, logger: logger, metrics: newMetrics(), began: time.Now(),
		// Drawing is all CPU: more at a time would not be faster, and would take more memory.
		drawing: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	s.state.Store(starting)
	return s
}

// Ready makes /readyz say yes, unless Drain came first.
func (s *Service) Ready() { s.state.CompareAndSwap(starting, ready) }

// Drain makes /readyz say no from now on. Everything else goes on.
func (s *Service) Drain() { s.state.Store(draining) }

func (s *Service) page(*http.Request) (answer, error) {
	return newAnswer(http.StatusOK, "text/html; charset=utf-8", page), nil
}

func (s *Service) healthz(*http.Request) (answer, error) {
	if time.Since(s.began) >= s.config.UnhealthyAfter {
		return statusAnswer(http.StatusServiceUnavailable, "failing"), nil
	}
	return statusAnswer(http.StatusOK, "ok"), nil
}

func (s *Service) readyz(*http.Request) (answer, error) {
	state := s.state.Load().(string)
	if state != ready {
		return statusAnswer(http.StatusServiceUnavailable, state), nil
	}
	return statusAnswer(http.StatusOK, state), nil
}

func (s *Service) version(*http.Request) (answer, error) {
	return jsonAnswer(http.StatusOK, "application/json", struct {
		Stack   string `json:"stack"`
		Version string `json:"version"`
		Commit  string `json:"commit"`
		Built   string `json:"built"`
		Runtime string `json:"runtime"`
	}{"go", s.config.Version, s.config.Commit, s.config.Built, runtime.Version()}), nil
}

func statusAnswer(code int, status string) answer {
	return jsonAnswer(code, "application/json", struct {
		Status string `json:"status"`
	}{status})
}
