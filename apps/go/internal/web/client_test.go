package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stageproof/stageproof/apps/go/internal/config"
)

// deadline is far longer than anything here takes.
const deadline = 10 * time.Second

// dial opens a connection for requests that no HTTP client would send.
func (s running) dial(t *testing.T, request string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	return connection
}

func TestAnAnnouncedLargeBodyIsRefusedBeforeItIsSent(t *testing.T) {
	connection := start(t).dial(t, "POST /qr HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 413 || !response.Close {
		t.Errorf("got %d, close %t; want 413 on a connection that closes", response.StatusCode, response.Close)
	}
}

func TestARequestForATunnelIsNotFound(t *testing.T) {
	connection := start(t).dial(t, "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 404 || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d, %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
}

func TestABodyThatIsNoHTTPEndsTheConnection(t *testing.T) {
	connection := start(t).dial(t, "POST /qr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
	if content, err := io.ReadAll(connection); len(content) != 0 {
		t.Errorf("got %q, %v; want nothing", content, err)
	}
}

func TestADelayedAnswerTakesThatLong(t *testing.T) {
	service := start(t, func(c *config.Config) { c.Delay = 100 * time.Millisecond })
	began := time.Now()
	service.get(t, "/qr?text=a").check(t, 200, "image/svg+xml", oneDay)
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestAClientThatLeavesEndsTheWait(t *testing.T) {
	service := start(t, func(c *config.Config) { c.Delay = time.Hour })
	service.dial(t, "GET /qr?text=a HTTP/1.1\r\nHost: x\r\n\r\n").Close()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		for _, line := range service.logs.all(t) {
			if line["path"] == "/qr" && line["status"] == float64(statusGone) {
				return
			}
		}
	}
	t.Error("the request still waits")
}
