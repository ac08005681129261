package web

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stageproof/stageproof/apps/go/internal/config"
	"github.com/stageproof/stageproof/apps/go/internal/logs"
)

// running is the service behind a real socket, with what it logs.
type running struct {
	*Service
	url  string
	logs *lines
}

func start(t *testing.T, change ...func(*config.Config)) running {
	t.Helper()
	settings, err := config.FromEnv(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	for _, apply := range change {
		apply(&settings)
	}
	out := &lines{}
	service := New(settings, logs.New(out, slog.LevelDebug))
	server := httptest.NewServer(service.Handler())
	t.Cleanup(server.Close)
	return running{service, server.URL, out}
}

type lines struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *lines) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(text)
}

func (l *lines) all(t *testing.T) (parsed []map[string]any) {
	t.Helper()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		parsed = append(parsed, object)
	}
	return parsed
}

type reply struct {
	*http.Response
	body []byte
}

func (s running) do(t *testing.T, method, path string, body io.Reader) reply {
	t.Helper()
	request, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: no nosniff", method, path)
	}
	if length := response.Header.Get("Content-Length"); method != http.MethodHead && length != strconv.Itoa(len(content)) {
		t.Errorf("%s %s: Content-Length %q for %d bytes", method, path, length, len(content))
	}
	return reply{response, content}
}

func (s running) get(t *testing.T, path string) reply {
	t.Helper()
	return s.do(t, http.MethodGet, path, nil)
}

func (r reply) check(t *testing.T, status int, contentType, cache string) {
	t.Helper()
	if r.StatusCode != status || r.Header.Get("Content-Type") != contentType || r.Header.Get("Cache-Control") != cache {
		t.Errorf("%s: got %d, %s, %s; want %d, %s, %s", r.Request.URL, r.StatusCode,
			r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), status, contentType, cache)
	}
}

func (r reply) problem(t *testing.T, status int, kind, field string) {
	t.Helper()
	r.check(t, status, "application/problem+json", noStore)
	var got map[string]any
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	if got["type"] != "urn:stageproof:problem:"+kind || got["status"] != float64(status) || got["title"] == "" || got["detail"] == "" {
		t.Errorf("%s: got %s", r.Request.URL, r.body)
	}
	if named, has := got["field"]; has != (field != "") || has && named != field {
		t.Errorf("%s: field is %v, want %q", r.Request.URL, named, field)
	}
}

func TestThePageHasAFormForAllParameters(t *testing.T) {
	got := start(t).get(t, "/")
	got.check(t, 200, "text/html; charset=utf-8", noStore)
	for _, part := range []string{`action="/qr"`, `name="text"`, `name="format"`, `name="scale"`} {
		if !bytes.Contains(got.body, []byte(part)) {
			t.Errorf("the page lacks %s", part)
		}
	}
}

func TestAQRCodeIsAnSVGOfScale8UnlessAskedOtherwise(t *testing.T) {
	service := start(t)
	plain := service.get(t, "/qr?text=a")
	plain.check(t, 200, "image/svg+xml", oneDay)
	if asked := service.get(t, "/qr?scale=8&format=svg&text=a"); !bytes.Equal(plain.body, asked.body) {
		t.Error("the defaults are not svg and 8")
	}
	picture := service.get(t, "/qr?text=a&format=png&scale=3")
	picture.check(t, 200, "image/png", oneDay)
	if size, err := png.DecodeConfig(bytes.NewReader(picture.body)); err != nil || size.Width != (21+8)*3 {
		t.Errorf("got a PNG of %d, %v; want 87", size.Width, err)
	}
}

func TestTextIsDecodedAsInAForm(t *testing.T) {
	service := start(t)
	want := service.get(t, "/qr?text=a%20b;c%3Dd=").body
	for _, query := range []string{"text=a+b;c=d=", "t%65xt=a+b%3Bc%3Dd%3D", "x=%zz&text=a+b;c=d=&&y&=", "%zz=1&text=a+b;c=d="} {
		if got := service.get(t, "/qr?"+query); got.StatusCode != 200 || !bytes.Equal(got.body, want) {
			t.Errorf("%s: another code than for %q", query, "a b;c=d=")
		}
	}
}

func TestLargestValuesAreTaken(t *testing.T) {
	service := start(t)
	for _, text := range []string{strings.Repeat("x", 1024), strings.Repeat("ü", 512), "\x00", "\u2028", "🎉"} {
		service.get(t, "/qr?format=png&scale=20&text="+url.QueryEscape(text)).check(t, 200, "image/png", oneDay)
	}
}

func TestABadParameterIsNamed(t *testing.T) {
	service := start(t)
	for _, test := range []struct{ query, field string }{
		{"", "text"}, {"text", "text"}, {"text=", "text"}, {"Text=a", "text"},
		{"text=" + strings.Repeat("x", 1025), "text"}, {"text=x" + strings.Repeat("%C3%BC", 512), "text"},
		{"text=%FF", "text"}, {"text=%ED%A0%80", "text"}, {"text=%zz", "text"}, {"text=%", "text"},
		{"text=a&text=a", "text"}, {"text=a&text=", "text"},
		{"text=a&format=", "format"}, {"text=a&format=gif", "format"}, {"text=a&format=SVG", "format"},
		{"text=a&format=svg&format=png", "format"}, {"text=a&format=%FF", "format"},
		{"text=a&scale=", "scale"}, {"text=a&scale=0", "scale"}, {"text=a&scale=21", "scale"}, {"text=a&scale=-1", "scale"},
		{"text=a&scale=8.0", "scale"}, {"text=a&scale=%2B8", "scale"}, {"text=a&scale=+8", "scale"}, {"text=a&scale=1_0", "scale"},
		{"text=a&scale=%D9%A3", "scale"}, {"text=a&scale=" + strings.Repeat("9", 400), "scale"}, {"text=a&scale=8&scale=8", "scale"},
	} {
		service.get(t, "/qr?"+test.query).problem(t, 400, "invalid-parameter", test.field)
	}
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	service := start(t)
	for _, path := range []string{"/nothing", "/qr/", "//qr", "/./qr", "/x/../qr", "/%2e%2e/qr", "/QR", "/qr%2F", "/healthz/x"} {
		service.get(t, path).problem(t, 404, "not-found", "")
	}
	service.do(t, http.MethodPost, "/nothing", nil).problem(t, 404, "not-found", "")
}

func TestOtherMethodsAreRefused(t *testing.T) {
	service := start(t)
	for _, path := range []string{"/", "/qr?text=a", "/healthz", "/readyz", "/version", "/metrics"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"} {
			got := service.do(t, method, path, nil)
			got.problem(t, 405, "method-not-allowed", "")
			if allow := got.Header.Get("Allow"); allow != "GET, HEAD" {
				t.Errorf("%s %s: Allow is %q", method, path, allow)
			}
		}
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	service := start(t)
	for _, path := range []string{"/", "/qr?text=a", "/qr", "/nothing", "/healthz", "/readyz", "/version"} {
		get, head := service.get(t, path), service.do(t, http.MethodHead, path, nil)
		if len(head.body) != 0 || head.StatusCode != get.StatusCode {
			t.Errorf("%s: HEAD gives %d with %d bytes, GET %d", path, head.StatusCode, len(head.body), get.StatusCode)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("%s: %s differs between HEAD and GET", path, name)
			}
		}
	}
}

func TestALargeBodyIsRefusedOnAnyPathAndMethod(t *testing.T) {
	service := start(t)
	large := strings.Repeat("x", maxBody+1)
	for _, test := range [][2]string{{"GET", "/qr?text=a"}, {"POST", "/"}, {"PUT", "/nothing"}, {"GET", "/healthz"}} {
		service.do(t, test[0], test[1], strings.NewReader(large)).problem(t, 413, "content-too-large", "body")
		// io.MultiReader hides the length, so this body is sent in chunks.
		service.do(t, test[0], test[1], io.MultiReader(strings.NewReader(large))).problem(t, 413, "content-too-large", "body")
	}
}

func TestABodyOfTheLimitIsIgnored(t *testing.T) {
	service := start(t)
	body := strings.Repeat("x", maxBody)
	service.do(t, "GET", "/version", strings.NewReader(body)).check(t, 200, "application/json", noStore)
	service.do(t, "GET", "/version", io.MultiReader(strings.NewReader(body))).check(t, 200, "application/json", noStore)
	service.do(t, "POST", "/version", strings.NewReader(body)).problem(t, 405, "method-not-allowed", "")
}

func TestReadinessFollowsTheLifeOfTheProcess(t *testing.T) {
	service := start(t)
	expect := func(status int, body string) {
		t.Helper()
		got := service.get(t, "/readyz")
		got.check(t, status, "application/json", noStore)
		if string(got.body) != body+"\n" {
			t.Errorf("got %s, want %s", got.body, body)
		}
	}
	expect(503, `{"status":"starting"}`)
	service.Ready()
	expect(200, `{"status":"ready"}`)
	service.Drain()
	expect(503, `{"status":"draining"}`)
	service.Ready() // start-up that ends after SIGTERM
	expect(503, `{"status":"draining"}`)
	service.get(t, "/qr?text=a").check(t, 200, "image/svg+xml", oneDay)
}

func TestHealthFailsWhenTold(t *testing.T) {
	if got := start(t).get(t, "/healthz"); got.StatusCode != 200 || string(got.body) != `{"status":"ok"}`+"\n" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	failing := start(t, func(c *config.Config) { c.UnhealthyAfter = 0 })
	got := failing.get(t, "/healthz")
	got.check(t, 503, "application/json", noStore)
	if string(got.body) != `{"status":"failing"}`+"\n" {
		t.Errorf("got %s", got.body)
	}
	failing.get(t, "/version").check(t, 200, "application/json", noStore)
	if later := start(t, func(c *config.Config) { c.UnhealthyAfter = time.Hour }).get(t, "/healthz"); later.StatusCode != 200 {
		t.Errorf("an hour early: %d", later.StatusCode)
	}
}

func TestTheVersionComesFromTheConfiguration(t *testing.T) {
	got := start(t, func(c *config.Config) { c.Version, c.Commit, c.Built = "1.2.3", "abc", "now" }).get(t, "/version")
	got.check(t, 200, "application/json", noStore)
	want := `{"stack":"go","version":"1.2.3","commit":"abc","built":"now","runtime":"` + runtime.Version() + `"}` + "\n"
	if string(got.body) != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	service := start(t)
	for _, path := range []string{"/qr?text=a", "/qr?text=b", "/qr", "/secret/1", "/secret/2", "//", "/healthz"} {
		service.get(t, path)
	}
	service.do(t, "BREW", "/", nil)
	service.get(t, "/metrics")
	got := service.get(t, "/metrics")
	if kind := got.Header.Get("Content-Type"); got.StatusCode != 200 || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Errorf("got %d, %s", got.StatusCode, kind)
	}
	for _, line := range []string{
		`http_requests_total{method="GET",path="/qr",status="200"} 2`,
		`http_requests_total{method="GET",path="/qr",status="400"} 1`,
		`http_requests_total{method="GET",path="other",status="404"} 3`,
		`http_requests_total{method="GET",path="/healthz",status="200"} 1`,
		`http_requests_total{method="GET",path="/metrics",status="200"} 1`,
		`http_requests_total{method="other",path="/",status="405"} 1`,
		`http_request_duration_seconds_count{method="GET",path="/qr"} 3`,
		`http_request_duration_seconds_bucket{method="GET",path="/qr",le="+Inf"} 3`,
	} {
		if !strings.Contains(string(got.body), line+"\n") {
			t.Errorf("lacks %s", line)
		}
	}
	if strings.Contains(string(got.body), "secret") {
		t.Error("an unknown path is a label")
	}
}

func TestRequestsAreLoggedWithoutTheirQuery(t *testing.T) {
	service := start(t)
	service.get(t, "/healthz")
	service.get(t, "/readyz")
	service.get(t, "/qr?text=private")
	service.get(t, "/nothing")
	got := service.logs.all(t)
	if len(got) != 2 {
		t.Fatalf("got %d lines, want 2: %v", len(got), got)
	}
	for i, want := range []map[string]any{{"path": "/qr", "status": 200.0}, {"path": "/nothing", "status": 404.0}} {
		took, isNumber := got[i]["duration_ms"].(float64)
		if got[i]["path"] != want["path"] || got[i]["status"] != want["status"] || got[i]["method"] != "GET" ||
			got[i]["level"] != "info" || !isNumber || took < 0 {
			t.Errorf("got %v", got[i])
		}
	}
}

func TestASurpriseIsAnInternalErrorWithoutDetails(t *testing.T) {
	service := start(t)
	for name, serve := range map[string]endpoint{
		"panic": func(*http.Request) (answer, error) { panic("secret") },
		"error": func(*http.Request) (answer, error) { return answer{}, io.ErrUnexpectedEOF },
	} {
		recorder := httptest.NewRecorder()
		service.route("/", serve).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
		got := reply{recorder.Result(), recorder.Body.Bytes()}
		got.Request = httptest.NewRequest("GET", "/"+name, nil)
		got.problem(t, 500, "internal", "")
		if text := string(got.body); strings.Contains(text, "secret") || strings.Contains(text, "EOF") || strings.Contains(text, ".go") {
			t.Errorf("the answer tells too much: %s", text)
		}
	}
	failures := 0
	for _, line := range service.logs.all(t) {
		if line["level"] == "error" {
			failures++
		}
	}
	if failures != 2 {
		t.Errorf("%d of 2 failures were logged as errors", failures)
	}
}
