package distribution

import (
	"math/big"
	"strconv"
	"strings"
)

// Quantile returns the price that so many percent of the prices do not exceed,
// from 1 to 100, off by at most 1 % of it, as a decimal without needless zeros.
// It is the middle of the bucket that holds the price at the rank of percent ×
// count / 100, rounded up, as SQL's percentile_disc has it; or least or greatest,
// which are those of all prices, where these lie inwards of it. It is empty where
// nothing is counted.
func (c Counts) Quantile(percent int64, least, greatest string) string {
	total := int64(0)
	for i := range c.Len() {
		total += c.At(i).Count
	}
	if total == 0 {
		return ""
	}
	// Without an overflow on the way.
	rank := total/100*percent + (total%100*percent+99)/100
	i := 0
	for passed := c.At(0).Count; passed < rank; passed += c.At(i).Count {
		i++
	}
	middle := c.At(i).Bucket.middle()
	// The least price is in the first bucket, the greatest in the last.
	if i == 0 && below(middle, least) {
		middle = least
	}
	if i == c.Len()-1 && below(greatest, middle) {
		middle = greatest
	}
	return trimmed(middle)
}

// middle is the number half way between the bounds of the bucket, a decimal.
func (b Bucket) middle() string {
	if b == 0 {
		return "0"
	}
	least, width, power := b.lead()
	// Half of a width may need a digit more.
	text := strconv.Itoa(10*least + 5*width)
	power--
	switch {
	case power >= 0:
		text += strings.Repeat("0", power)
	case -power < len(text):
		text = text[:len(text)+power] + "." + text[len(text)+power:]
	default:
		text = "0." + strings.Repeat("0", -power-len(text)) + text
	}
	if b < 0 {
		return "-" + text
	}
	return text
}

func below(a, b string) bool {
	x, isX := new(big.Rat).SetString(a)
	y, isY := new(big.Rat).SetString(b)
	return isX && isY && x.Cmp(y) < 0
}

// trimmed has no zeros at the end of a fraction: of equal prices with different
// scales, which is the least or the greatest is arbitrary.
func trimmed(decimal string) string {
	if !strings.Contains(decimal, ".") {
		return decimal
	}
	return strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
}
