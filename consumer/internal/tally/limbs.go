package tally

import (
	"math/big"
	"math/bits"
)

// int128 is a two's complement number: 2^63 rows of int64 prices fit.
type int128 struct{ hi, lo uint64 }

func (n *int128) add(other int128) {
	var carry uint64
	n.lo, carry = bits.Add64(n.lo, other.lo, 0)
	n.hi, _ = bits.Add64(n.hi, other.hi, carry)
}

func (n int128) big() *big.Int {
	value := new(big.Int).SetInt64(int64(n.hi))
	value.Lsh(value, 64)
	return value.Add(value, new(big.Int).SetUint64(n.lo))
}

// uint192 holds the squares of 2^64 rows of int64 prices.
type uint192 struct{ hi, mid, lo uint64 }

func (n *uint192) add(other uint192) {
	var carry uint64
	n.lo, carry = bits.Add64(n.lo, other.lo, 0)
	n.mid, carry = bits.Add64(n.mid, other.mid, carry)
	n.hi, _ = bits.Add64(n.hi, other.hi, carry)
}

func (n uint192) big() *big.Int {
	value := new(big.Int).SetUint64(n.hi)
	value.Lsh(value, 64).Or(value, new(big.Int).SetUint64(n.mid))
	return value.Lsh(value, 64).Or(value, new(big.Int).SetUint64(n.lo))
}
