package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runMain makes the test binary behave as the program, so that the tests start a real process.
const runMain = "QR_TEST_RUN_MAIN"

// deadline is far longer than anything here takes.
const deadline = 20 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

func command(env []string, args ...string) *exec.Cmd {
	program := exec.Command(os.Args[0], args...)
	program.Env = append([]string{runMain + "=1"}, env...)
	return program
}

// finish runs the program to its end.
func finish(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errors bytes.Buffer
	program := command(env, args...)
	program.Stdout, program.Stderr = &out, &errors
	if err := program.Run(); program.ProcessState == nil {
		t.Fatal(err)
	}
	return program.ProcessState.ExitCode(), out.String(), errors.String()
}

type process struct {
	*exec.Cmd
	port   int
	url    string
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// serving starts the program and waits for the line that says it is ready.
func serving(t *testing.T, env ...string) *process {
	t.Helper()
	port := freePort(t)
	p := &process{port: port, url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	p.Cmd = command(append(env, fmt.Sprintf("PORT=%d", port)))
	p.Stderr = &p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stdout)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(deadline, func() { _ = p.Process.Kill() })
	t.Cleanup(func() {
		watchdog.Stop()
		_ = p.Process.Kill()
	})
	p.await(t, "ready")
	return p
}

// await reads log lines up to the one with this message.
func (p *process) await(t *testing.T, message string) {
	t.Helper()
	for p.lines.Scan() {
		var line struct{ Time, Level, Message string }
		if err := json.Unmarshal(p.lines.Bytes(), &line); err != nil || line.Time == "" || line.Level == "" {
			t.Fatalf("not a log line: %q, %v", p.lines.Text(), err)
		}
		if line.Message == message {
			return
		}
	}
	t.Fatalf("the log ends without %q; stderr: %s", message, p.stderr.String())
}

func (p *process) signal(t *testing.T, what syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(what); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end, and checks that it is an orderly one.
func (p *process) ended(t *testing.T) {
	t.Helper()
	for p.lines.Scan() { // Wait would close the pipe under the reader
		if !json.Valid(p.lines.Bytes()) {
			t.Errorf("not a log line: %q", p.lines.Text())
		}
	}
	if err := p.Wait(); err != nil || p.stderr.Len() != 0 {
		t.Errorf("ended with %v; stderr: %s", err, p.stderr.String())
	}
}

func status(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(body))
}

func TestABadPortEndsTheStartWithCode2AndOneLine(t *testing.T) {
	code, stdout, stderr := finish(t, []string{"PORT=abc"})
	if code != 2 || stdout != "" || stderr != "PORT: \"abc\" is not a whole number from 1 to 65535\n" {
		t.Errorf("got %d, %q, %q", code, stdout, stderr)
	}
}

func TestAnUnknownArgumentEndsTheStartWithCode2(t *testing.T) {
	for _, args := range [][]string{{"serve"}, {"healthcheck", "now"}, {"-h"}} {
		if code, stdout, stderr := finish(t, nil, args...); code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: got %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestAPortInUseIsOneErrorInTheLog(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	code, stdout, stderr := finish(t, []string{fmt.Sprintf("PORT=%d", listener.Addr().(*net.TCPAddr).Port)})
	if code != 1 || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `"level":"error"`) || stderr != "" {
		t.Errorf("got %d, %q, %q", code, stdout, stderr)
	}
}

func TestItServesIPv4AndIPv6(t *testing.T) {
	p := serving(t)
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		if host == "[::1]" {
			if probe, err := net.Listen("tcp", "[::1]:0"); err != nil {
				t.Logf("no IPv6 here: %v", err)
				continue
			} else {
				probe.Close()
			}
		}
		if code, body := status(t, http.DefaultClient, fmt.Sprintf("http://%s:%d/readyz", host, p.port)); code != 200 {
			t.Errorf("%s: got %d %s", host, code, body)
		}
	}
}

func TestAQuestionAboutTheWholeServerIsNotFound(t *testing.T) {
	p := serving(t)
	request, err := http.NewRequest(http.MethodOptions, p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque = "*"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 404 || kind != "application/problem+json" {
		t.Errorf("OPTIONS *: got %d, %s", response.StatusCode, kind)
	}
}

func TestTheHealthCheckAsksTheServer(t *testing.T) {
	healthy := serving(t)
	port := fmt.Sprintf("PORT=%d", healthy.port)
	if code, stdout, stderr := finish(t, []string{port}, "healthcheck"); code != 0 || stdout+stderr != "" {
		t.Errorf("healthy: got %d, %q, %q", code, stdout, stderr)
	}
	failing := serving(t, "CHAOS_UNHEALTHY_AFTER=0")
	for name, env := range map[string]string{
		"failing": fmt.Sprintf("PORT=%d", failing.port), "nobody there": fmt.Sprintf("PORT=%d", freePort(t)), "bad port": "PORT=abc",
	} {
		if code, _, stderr := finish(t, []string{env}, "healthcheck"); code != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: got %d, %q; want 1 and one line", name, code, stderr)
		}
	}
}

func TestSIGTERMDrainsFinishesRequestsAndEndsWith0(t *testing.T) {
	for _, stop := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(stop.String(), func(t *testing.T) {
			p := serving(t, "DRAIN_SECONDS=1", "CHAOS_DELAY=2")
			idle := &http.Client{Transport: &http.Transport{}}
			status(t, idle, p.url+"/version")
			began := time.Now()
			slow := make(chan int, 1)
			go func() {
				response, err := http.Get(p.url + "/qr?text=a")
				if err != nil {
					slow <- 0
					return
				}
				response.Body.Close()
				slow <- response.StatusCode
			}()
			p.signal(t, stop)
			p.await(t, "draining")
			fresh := &http.Client{Transport: &http.Transport{}}
			if code, body := status(t, fresh, p.url+"/readyz"); code != 503 || body != `{"status":"draining"}` {
				t.Errorf("readiness while draining: %d %s", code, body)
			}
			if code, _ := status(t, fresh, p.url+"/version"); code != 200 {
				t.Errorf("a new connection while draining: %d", code)
			}
			p.signal(t, stop) // a second one changes nothing
			if code := <-slow; code != 200 {
				t.Errorf("the request in flight got %d", code)
			}
			p.ended(t)
			if took := time.Since(began); took < 2*time.Second || took > 6*time.Second {
				t.Errorf("took %v, want a little more than the slow request's 2 s", took)
			}
		})
	}
}

func TestRequestsThatTakeTooLongAreCutOffAndTheEndIsStill0(t *testing.T) {
	p := serving(t, "DRAIN_SECONDS=0", "SHUTDOWN_SECONDS=1", "CHAOS_DELAY=3600")
	connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "GET /qr?text=a HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	status(t, http.DefaultClient, p.url+"/version") // the server takes connections in turn, so it has the first one
	p.signal(t, syscall.SIGTERM)
	p.await(t, "requests were cut off")
	p.ended(t)
}

func TestTheSocketIsClosedAfterDraining(t *testing.T) {
	p := serving(t, "DRAIN_SECONDS=0", "SHUTDOWN_SECONDS=0")
	p.signal(t, syscall.SIGTERM)
	p.ended(t)
	if _, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port)); err == nil {
		t.Error("somebody still listens")
	}
}

func TestASilentConnectionDoesNotHoldUpTheEnd(t *testing.T) {
	p := serving(t, "DRAIN_SECONDS=0")
	silent, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	status(t, http.DefaultClient, p.url+"/version") // the server takes connections in turn, so it has the silent one
	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	p.await(t, "stopped")
	p.ended(t)
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
}
