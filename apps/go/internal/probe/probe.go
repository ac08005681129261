// Package probe asks a running service for its health.
package probe

import (
	"fmt"
	"net/http"
	"time"
)

const timeLimit = 2 * time.Second

// Health returns nil if the service on this machine's port answers /healthz with 200.
func Health(port int) error {
	client := http.Client{
		Timeout: timeLimit,
		// A transport of its own: the default one asks the environment for a proxy.
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// Not localhost: the name may mean ::1, and need not resolve at all.
	response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", port))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/healthz answers %s", response.Status)
	}
	return nil
}
