package whole

import (
	"strings"
	"testing"
)

func TestDigitsInRangeAreANumber(t *testing.T) {
	for value, want := range map[string]int{"1": 1, "20": 20, "08": 8, strings.Repeat("0", 40) + "7": 7} {
		if got, ok := Number(value, 1, 20); !ok || got != want {
			t.Errorf("Number(%q) = %d, %t; want %d, true", value, got, ok, want)
		}
	}
}

func TestEverythingElseIsRefused(t *testing.T) {
	for _, value := range []string{"", "0", "21", "-1", "+8", " 8", "8 ", "8.0", "1e1", "0x8", "1_0", "٣", "8\n", strings.Repeat("9", 40)} {
		if got, ok := Number(value, 1, 20); ok {
			t.Errorf("Number(%q) = %d, true; want false", value, got)
		}
	}
}
