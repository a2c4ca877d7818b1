package record

// widths are the digits of the directives that have always as many.
var widths = map[string]int{
	"%d": 2, "%m": 2, "%y": 2, "%H": 2, "%I": 2, "%M": 2, "%S": 2, "%V": 2, "%j": 3, "%Y": 4, "%G": 4, "%u": 1, "%w": 1,
}

// digits are ones that follow each other in a timestamp.
type digits struct {
	count int
	// open says that there may be more.
	open bool
}

// runs returns where numbers stand side by side in a format. There each of them
// needs all its digits: timefmt takes fewer, and would read the next one's.
func runs(directives []string) []digits {
	var found []digits
	var run digits
	numbers := 0
	end := func(next digits) {
		if numbers > 1 {
			found = append(found, run)
		}
		run, numbers = next, 0
	}
	for _, d := range directives {
		width, fixed := widths[d]
		switch {
		case fixed:
			run.count += width
			numbers++
		case d[0] != '%':
			for _, c := range []byte(d) {
				if c < '0' || c > '9' {
					end(digits{})
					continue
				}
				run.count++
				numbers++
			}
		case d == "%e" || d == "%k" || d == "%l" || d == "%s" || d == "%f":
			run.open = true
		case d == "%z" || d == "%:z" || d == "%::z" || d == "%:::z":
			end(digits{open: true})
		default:
			end(digits{})
		}
	}
	end(digits{})
	return found
}

// hasRuns says whether b has such digits, in that order.
func hasRuns(b []byte, want []digits) bool {
	for at := 0; at < len(b) && len(want) > 0; at++ {
		count := 0
		for ; at < len(b) && b[at] >= '0' && b[at] <= '9'; at++ {
			count++
		}
		if count == want[0].count || want[0].open && count > want[0].count {
			want = want[1:]
		}
	}
	return len(want) == 0
}
