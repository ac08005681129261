// Package whole reads whole numbers as people and machines write them in requests and settings.
package whole

import "strconv"

// Number returns the number that value writes with ASCII digits only, and whether it lies between low and high.
// Signs, spaces and the underscores that strconv could take are no part of a number here.
func Number(value string, low, high int) (int, bool) {
	for _, char := range []byte(value) {
		if char < '0' || char > '9' {
			return 0, false
		}
	}
	number, err := strconv.Atoi(value)
	if err != nil || number < low || number > high {
		return 0, false
	}
	return number, true
}
