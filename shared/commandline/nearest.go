package commandline

import "strings"

// longest is how long a word may be that something is near to, in bytes: no
// name is longer, and the comparison costs the product of the lengths.
const longest = 64

// Nearest returns the name that word is most likely a slip of: the one fewest
// insertions, deletions, replacements and swaps of neighbours away, the first
// of equals. More than a third of the word's letters, rounded up, is no slip;
// but a name that begins with the whole word is near to it from three letters
// on. Case does not count.
func Nearest(word string, names []string) (nearest string, found bool) {
	word = strings.ToLower(strings.TrimLeft(word, "-"))
	if word == "" || len(word) > longest {
		return "", false
	}
	least := (len(word)+2)/3 + 1
	for _, name := range names {
		lower := strings.ToLower(name)
		away := distance(word, lower)
		if len(word) >= 3 && strings.HasPrefix(lower, word) {
			away = min(away, 1)
		}
		// A single letter would be near to any other.
		if away < least && away < len(word) && len(name) > 1 {
			nearest, least = name, away
		}
	}
	return nearest, nearest != ""
}

// distance counts the edits that turn a into b, a swap of neighbours as one.
func distance(a, b string) int {
	before, last, this := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		this[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			this[j] = min(last[j]+1, this[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				this[j] = min(this[j], before[j-2]+1)
			}
		}
		before, last, this = last, this, before
	}
	return last[len(b)]
}
