package config

import (
	"log/slog"
	"testing"
	"time"
)

func env(values map[string]string) Lookup {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

func TestAnEmptyEnvironmentGivesTheDefaults(t *testing.T) {
	got, err := FromEnv(env(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Port: 8080, LogLevel: slog.LevelInfo, Drain: time.Second, Shutdown: 8 * time.Second,
		Version: "0.0.0", Commit: "unknown", Built: "unknown", UnhealthyAfter: Never, Delay: 0,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	got, err := FromEnv(env(map[string]string{
		"PORT": "65535", "LOG_LEVEL": "warning", "DRAIN_SECONDS": "0", "SHUTDOWN_SECONDS": "3600",
		"APP_VERSION": "1.2.3", "APP_COMMIT": "abc", "APP_BUILT": "2026-01-02T03:04:05Z",
		"CHAOS_UNHEALTHY_AFTER": "0", "CHAOS_DELAY": "3",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Port: 65535, LogLevel: slog.LevelWarn, Drain: 0, Shutdown: time.Hour,
		Version: "1.2.3", Commit: "abc", Built: "2026-01-02T03:04:05Z", UnhealthyAfter: 0, Delay: 3 * time.Second,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEmptyChaosIsOff(t *testing.T) {
	got, err := FromEnv(env(map[string]string{"CHAOS_UNHEALTHY_AFTER": "", "CHAOS_DELAY": ""}))
	if err != nil || got.UnhealthyAfter != Never || got.Delay != 0 {
		t.Errorf("got %v and %v, %v; want never and 0", got.UnhealthyAfter, got.Delay, err)
	}
}

func TestABadValueIsNamedInOneLine(t *testing.T) {
	const seconds = "is not a whole number from 0 to 3600"
	for _, test := range []struct{ name, value, want string }{
		{"PORT", "abc", `PORT: "abc" is not a whole number from 1 to 65535`},
		{"PORT", "0", `PORT: "0" is not a whole number from 1 to 65535`},
		{"PORT", "65536", `PORT: "65536" is not a whole number from 1 to 65535`},
		{"PORT", "", `PORT: "" is not a whole number from 1 to 65535`},
		{"PORT", "80\n80", `PORT: "80\n80" is not a whole number from 1 to 65535`},
		{"LOG_LEVEL", "INFO", `LOG_LEVEL: "INFO" is not one of debug, info, warning, error`},
		{"DRAIN_SECONDS", "-1", `DRAIN_SECONDS: "-1" ` + seconds},
		{"SHUTDOWN_SECONDS", "3601", `SHUTDOWN_SECONDS: "3601" ` + seconds},
		{"CHAOS_UNHEALTHY_AFTER", "soon", `CHAOS_UNHEALTHY_AFTER: "soon" ` + seconds},
		{"CHAOS_DELAY", "1.5", `CHAOS_DELAY: "1.5" ` + seconds},
	} {
		if _, err := FromEnv(env(map[string]string{test.name: test.value})); err == nil || err.Error() != test.want {
			t.Errorf("%s=%q: got %v, want %s", test.name, test.value, err, test.want)
		}
	}
}

func TestTheFirstOfTwoBadValuesIsNamed(t *testing.T) {
	_, err := FromEnv(env(map[string]string{"PORT": "x", "CHAOS_DELAY": "y"}))
	if want := `PORT: "x" is not a whole number from 1 to 65535`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestThePortAloneIgnoresOtherBadValues(t *testing.T) {
	if port, err := Port(env(map[string]string{"PORT": "9000", "LOG_LEVEL": "loud"})); port != 9000 || err != nil {
		t.Errorf("got %d, %v; want 9000", port, err)
	}
	if _, err := Port(env(map[string]string{"PORT": "x"})); err == nil {
		t.Error("a bad port gave no error")
	}
}
