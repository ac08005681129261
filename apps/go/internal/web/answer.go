package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// answer is a whole response, made before its first byte is sent: so it has a length, and an error can replace it.
type answer struct {
	status int
	body   []byte
	header map[string]string
}

// An endpoint's error is a *problem to show, errGone, or a surprise that becomes a 500.
type endpoint func(*http.Request) (answer, error)

const (
	noStore  = "no-store"
	oneDay   = "public, max-age=86400"
	sendTime = 30 * time.Second // for the client to take the whole answer

	// statusGone is nginx's number for a client that left before its answer. It is counted and logged, never sent.
	statusGone = 499
)

func newAnswer(status int, contentType string, body []byte) answer {
	return answer{status, body, map[string]string{"Content-Type": contentType, "Cache-Control": noStore}}
}

func (a answer) with(name, value string) answer {
	a.header = maps.Clone(a.header)
	a.header[name] = value
	return a
}

func jsonAnswer(status int, contentType string, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // only strings and numbers are ever passed
	}
	return newAnswer(status, contentType, append(body, '\n'))
}

func (a answer) send(w http.ResponseWriter) {
	if a.status == statusGone {
		panic(http.ErrAbortHandler) // net/http's way to close the connection without an answer
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	// Set here and not in the server, whose limit would include the time that the answer takes to be made.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendTime))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // net/http leaves it out for HEAD; a client that left is no error of ours
}

// problem is an error as RFC 9457 shows it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`

	header map[string]string
}

func (p *problem) Error() string { return p.Detail }

func (p *problem) answer() answer {
	a := jsonAnswer(p.Status, "application/problem+json", p)
	maps.Copy(a.header, p.header)
	return a
}

const problems = "urn:stageproof:problem:"

func invalid(field, detail string) *problem {
	return &problem{
		Type: problems + "invalid-parameter", Title: "Invalid parameter",
		Status: http.StatusBadRequest, Detail: detail, Field: field,
	}
}

var (
	errNotFound = &problem{
		Type: problems + "not-found", Title: "Not found",
		Status: http.StatusNotFound, Detail: "Nothing is at this path.",
	}
	errMethod = &problem{
		Type: problems + "method-not-allowed", Title: "Method not allowed",
		Status: http.StatusMethodNotAllowed, Detail: "This path takes GET and HEAD only.",
		header: map[string]string{"Allow": "GET, HEAD"},
	}
	// The rest of a large body is not read, so the connection cannot be used again.
	errTooLarge = &problem{
		Type: problems + "content-too-large", Title: "Content too large",
		Status: http.StatusRequestEntityTooLarge, Detail: "The request body is larger than 65536 bytes.", Field: "body",
		header: map[string]string{"Connection": "close"},
	}
	errInternal = &problem{
		Type: problems + "internal", Title: "Internal error",
		Status: http.StatusInternalServerError, Detail: "The request could not be answered.",
	}
)
