package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"time"
)

const (
	maxBody  = 65536
	bodyTime = 10 * time.Second // for the client to send the whole body
	other    = "other"          // the name of every unknown path and method in metrics
)

// errGone says that the client left, or sent a body that is no HTTP: nobody waits for an answer.
var errGone = errors.New("the client is gone")

// Handler answers all requests.
func (s *Service) Handler() http.Handler {
	unknown := s.route(other, func(*http.Request) (answer, error) { return answer{}, errNotFound })
	mux := http.NewServeMux()
	mux.Handle("/", unknown)
	mux.Handle("/{$}", s.route("/", getOnly(s.page)))
	mux.Handle("/qr", s.route("/qr", getOnly(s.qr)))
	mux.Handle("/healthz", s.route("/healthz", getOnly(s.healthz)))
	mux.Handle("/readyz", s.route("/readyz", getOnly(s.readyz)))
	mux.Handle("/version", s.route("/version", getOnly(s.version)))
	mux.Handle("/metrics", s.route("/metrics", getOnly(s.metricsText)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux redirects "//qr" and "/./qr" by itself, and refuses "*" in its own words. Here they are unknown.
		if !strings.HasPrefix(r.URL.Path, "/") || path.Clean(r.URL.Path) != r.URL.Path {
			unknown.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// route makes a handler of an endpoint. It counts and logs before the answer leaves, so whoever has the answer finds
// it counted; the time that the client takes to receive it is not in the figures.
func (s *Service) route(name string, serve endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		a := s.answer(w, r, serve)
		s.record(r, name, a.status, time.Since(began))
		a.send(w)
	})
}

func (s *Service) record(r *http.Request, route string, status int, took time.Duration) {
	s.metrics.observe(r.Method, route, status, took)
	if route == "/healthz" || route == "/readyz" {
		return
	}
	s.logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Float64("duration_ms", float64(took.Microseconds())/1000))
}

// answer runs the endpoint and turns its error into an answer.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, serve endpoint) answer {
	a, err := guarded(w, r, serve)
	if err == nil {
		return a
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return p.answer()
	}
	if errors.Is(err, errGone) || errors.Is(err, context.Canceled) {
		return answer{status: statusGone}
	}
	s.logger.Error("request failed", "path", r.URL.Path, "error", err.Error())
	return errInternal.answer()
}

// guarded refuses a large body, and gives a panic back as an error.
func guarded(w http.ResponseWriter, r *http.Request, serve endpoint) (a answer, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
	}()
	if err := dropBody(w, r); err != nil {
		return answer{}, err
	}
	return serve(r)
}

// dropBody reads the body, which no endpoint needs, to learn whether it is too large.
func dropBody(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength > maxBody {
		return errTooLarge
	}
	if r.Body == http.NoBody {
		return nil
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime))
	size, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxBody+1))
	if size > maxBody {
		return errTooLarge
	}
	if err != nil {
		return errGone
	}
	_ = control.SetReadDeadline(time.Time{})
	return nil
}

func getOnly(serve endpoint) endpoint {
	return func(r *http.Request) (answer, error) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return answer{}, errMethod
		}
		return serve(r)
	}
}
