package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stageproof/stageproof/apps/go/internal/qrcode"
	"github.com/stageproof/stageproof/apps/go/internal/whole"
)

const (
	maxText      = 1024
	maxScale     = 20
	defaultScale = 8
)

// order is what a request to /qr asks for.
type order struct {
	text, format string
	scale        int
}

func (s *Service) qr(r *http.Request) (answer, error) {
	if err := wait(r.Context(), s.config.Delay); err != nil {
		return answer{}, err
	}
	wanted, err := parseOrder(r.URL.RawQuery)
	if err != nil {
		return answer{}, err
	}
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
	case <-r.Context().Done():
		return answer{}, r.Context().Err()
	}
	return draw(wanted)
}

func draw(wanted order) (answer, error) {
	code, err := qrcode.Encode(wanted.text)
	if err != nil {
		return answer{}, err
	}
	contentType, picture := "image/svg+xml", []byte(nil)
	if wanted.format == "png" {
		contentType = "image/png"
		picture, err = code.PNG(wanted.scale)
	} else {
		picture = code.SVG(wanted.scale)
	}
	return newAnswer(http.StatusOK, contentType, picture).with("Cache-Control", oneDay), err
}

func wait(ctx context.Context, delay time.Duration) error {
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func parseOrder(query string) (order, error) {
	wanted := order{format: "svg", scale: defaultScale}
	given, err := parameters(query, "text", "format", "scale")
	if err != nil {
		return order{}, err
	}
	if wanted.text = given["text"]; wanted.text == "" || len(wanted.text) > maxText {
		return order{}, invalid("text", "text must have 1 to 1024 bytes.")
	}
	if !utf8.ValidString(wanted.text) {
		return order{}, invalid("text", "text must be UTF-8.")
	}
	if format, ok := given["format"]; ok {
		if format != "svg" && format != "png" {
			return order{}, invalid("format", "format must be svg or png.")
		}
		wanted.format = format
	}
	if scale, ok := given["scale"]; ok {
		if wanted.scale, ok = whole.Number(scale, 1, maxScale); !ok {
			return order{}, invalid("scale", "scale must be a whole number from 1 to 20.")
		}
	}
	return wanted, nil
}

// parameters finds the named parameters. Not url.ParseQuery, which drops each pair that has a semicolon, and does not
// tell in which parameter a bad escape stands.
func parameters(query string, names ...string) (map[string]string, error) {
	found := make(map[string]string, len(names))
	for _, name := range names {
		for pair := range strings.SplitSeq(query, "&") {
			key, raw, _ := strings.Cut(pair, "=")
			if key, err := url.QueryUnescape(key); err != nil || key != name {
				continue
			}
			value, err := url.QueryUnescape(raw)
			if err != nil {
				return nil, invalid(name, name+" has a bad percent-escape.")
			}
			if _, twice := found[name]; twice {
				return nil, invalid(name, name+" must be given once.")
			}
			found[name] = value
		}
	}
	return found, nil
}
