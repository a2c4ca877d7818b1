package record

import "bytes"

// SplitFields appends the fields of raw, one record without its line end, to
// dst and returns it. Fields come as they stand between the delimiters (not
// trimmed), quoted ones without their quotes and with each doubled quote as
// one. They are slices of raw, which is not changed; only a field that holds a
// doubled quote is a copy.
//
// It is as strict as encoding/csv is without LazyQuotes: a quote in a field
// that does not begin with one, and anything but a delimiter behind a closing
// quote, give a Reason. The fields before that point are returned with it.
// Other than encoding/csv it leaves a CRLF in quotes as it is.
func SplitFields(raw []byte, delimiter byte, dst [][]byte) ([][]byte, Reason) {
	fields, _, reason := splitFields(raw, delimiter, dst, nil, -1)
	return fields, reason
}

// splitFields is SplitFields with room for unquoting in scratch, which it
// returns extended, and a limit on the fields appended unless it is negative.
func splitFields(raw []byte, delimiter byte, dst [][]byte, scratch []byte, limit int) ([][]byte, []byte, Reason) {
	quotes := bytes.IndexByte(raw, '"') >= 0
	for {
		if limit == 0 {
			return dst, scratch, ReasonMoreFields
		}
		limit--

		var field []byte
		var more bool
		if quotes && len(raw) > 0 && raw[0] == '"' {
			var reason Reason
			if field, raw, scratch, reason = cutQuoted(raw[1:], scratch); reason != "" {
				return dst, scratch, reason
			}
			if more = len(raw) > 0; more {
				if raw[0] != delimiter {
					return dst, scratch, ReasonAfterQuote
				}
				raw = raw[1:]
			}
		} else {
			if i := bytes.IndexByte(raw, delimiter); i >= 0 {
				field, raw, more = raw[:i:i], raw[i+1:], true
			} else {
				field = raw
			}
			if quotes && bytes.IndexByte(field, '"') >= 0 {
				return dst, scratch, ReasonStrayQuote
			}
		}
		dst = append(dst, field)
		if !more {
			return dst, scratch, ""
		}
	}
}

// cutQuoted returns the content of the quoted field that raw begins with,
// behind its opening quote, and what follows its closing one. Content with
// doubled quotes is put together at the end of scratch.
func cutQuoted(raw, scratch []byte) (field, rest, extended []byte, reason Reason) {
	from := len(scratch)
	for {
		i := bytes.IndexByte(raw, '"')
		if i < 0 {
			return nil, nil, scratch, ReasonUnclosedPart
		}
		if i+1 == len(raw) || raw[i+1] != '"' {
			if len(scratch) == from {
				return raw[:i:i], raw[i+1:], scratch, ""
			}
			scratch = append(scratch, raw[:i]...)
			return scratch[from:len(scratch):len(scratch)], raw[i+1:], scratch, ""
		}
		scratch = append(scratch, raw[:i+1]...)
		raw = raw[i+2:]
	}
}

// trim returns b without the spaces and tabs around it.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
