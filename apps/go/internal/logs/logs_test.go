package logs

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestALineIsOneObjectWithTimeLevelAndMessage(t *testing.T) {
	var out bytes.Buffer
	New(&out, slog.LevelDebug).Warn("two\nlines", "port", 8080)
	if strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("not one line: %q", out.String())
	}
	var line struct {
		Time, Level, Message string
		Port                 int
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Level != "warning" || line.Message != "two\nlines" || line.Port != 8080 {
		t.Errorf("got %+v", line)
	}
	if at, err := time.Parse(time.RFC3339, line.Time); err != nil || !strings.HasSuffix(line.Time, "Z") || time.Since(at) > time.Minute {
		t.Errorf("time %q is not now in UTC: %v", line.Time, err)
	}
}

func TestLinesBelowTheLevelAreLeftOut(t *testing.T) {
	var out bytes.Buffer
	logger := New(&out, slog.LevelWarn)
	logger.Debug("no")
	logger.Info("no")
	logger.Warn("yes")
	logger.Error("yes")
	if got := out.String(); strings.Count(got, "\n") != 2 || strings.Contains(got, `"no"`) {
		t.Errorf("got %s", got)
	}
}

func TestLevelsHaveTheNamesOfTheSetting(t *testing.T) {
	var out bytes.Buffer
	logger := New(&out, slog.LevelDebug)
	logger.Debug("")
	logger.Info("")
	logger.Warn("")
	logger.Error("")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{"debug", "info", "warning", "error"} {
		if !strings.Contains(lines[i], `"level":"`+want+`"`) {
			t.Errorf("line %s lacks the level %s", lines[i], want)
		}
	}
}
