package probe

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func serve(t *testing.T, handler http.HandlerFunc) int {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

func TestStatus200OnTheHealthPathIsHealthy(t *testing.T) {
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	if err := Health(port); err != nil {
		t.Error(err)
	}
}

func TestEveryOtherStatusIsUnhealthy(t *testing.T) {
	for _, status := range []int{204, 302, 404, 500, 503} {
		port := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/healthz" { // elsewhere 200, so that a redirect that is followed shows
				w.Header().Set("Location", "/")
				w.WriteHeader(status)
			}
		})
		if err := Health(port); err == nil {
			t.Errorf("status %d counts as healthy", status)
		}
	}
}

func TestAClosedPortIsUnhealthy(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := Health(listener.Addr().(*net.TCPAddr).Port); err == nil {
		t.Error("a closed port counts as healthy")
	}
}

func TestAServiceThatDoesNotAnswerIsUnhealthyInTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // connections wait in its queue, and nobody accepts them
	began := time.Now()
	if err := Health(listener.Addr().(*net.TCPAddr).Port); err == nil {
		t.Error("silence counts as healthy")
	}
	if took := time.Since(began); took > timeLimit+time.Second {
		t.Errorf("took %v, more than the limit of %v", took, timeLimit)
	}
}

func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	if err := Health(serve(t, func(http.ResponseWriter, *http.Request) {})); err != nil {
		t.Error(err)
	}
}
