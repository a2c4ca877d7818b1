package distribution

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// Cell is how many prices are in a bucket.
type Cell struct {
	Bucket Bucket
	Count  int64
}

// Counts are cells in the order of their buckets, as they stand in PostgreSQL:
// two bytes for the bucket and eight for its count, the high byte first. None is
// below one. The zero value counts nothing.
type Counts []byte

// CellSize is what a cell takes, in bytes.
const CellSize = 10

// ErrDamaged says that bytes are no Counts.
var ErrDamaged = errors.New("the counts of prices in buckets are damaged: 'consumer stats' compares them with the table")

// Append appends the cells to counts that end with a lower bucket, and returns
// them.
func (c Counts) Append(cells ...Cell) Counts {
	for _, cell := range cells {
		c = binary.BigEndian.AppendUint16(c, uint16(cell.Bucket))
		c = binary.BigEndian.AppendUint64(c, uint64(cell.Count))
	}
	return c
}

// Check returns ErrDamaged where c is not what Append made.
func (c Counts) Check() error {
	if len(c)%CellSize != 0 {
		return ErrDamaged
	}
	total := int64(0)
	for i := range c.Len() {
		cell := c.At(i)
		if cell.Bucket > Most || cell.Bucket < -Most || cell.Count < 1 || cell.Count > math.MaxInt64-total ||
			i > 0 && cell.Bucket <= c.At(i-1).Bucket {
			return ErrDamaged
		}
		total += cell.Count
	}
	return nil
}

// Len is how many cells there are.
func (c Counts) Len() int { return len(c) / CellSize }

// At returns the i-th cell.
func (c Counts) At(i int) Cell {
	at := c[i*CellSize:]
	return Cell{Bucket(binary.BigEndian.Uint16(at)), int64(binary.BigEndian.Uint64(at[2:]))}
}

// AppendSum appends the sum of a and b, both in order, to dst, which has no cells
// of its own.
func AppendSum(dst, a, b Counts) Counts {
	for len(a) > 0 && len(b) > 0 {
		x, y := a.At(0), b.At(0)
		switch {
		case x.Bucket < y.Bucket:
			dst, a = append(dst, a[:CellSize]...), a[CellSize:]
		case x.Bucket > y.Bucket:
			dst, b = append(dst, b[:CellSize]...), b[CellSize:]
		default:
			dst = dst.Append(Cell{x.Bucket, x.Count + y.Count})
			a, b = a[CellSize:], b[CellSize:]
		}
	}
	return append(append(dst, a...), b...)
}

// Bounds are the least and the greatest price that the bucket may hold, as near
// as floating point has them, for drawing.
func (b Bucket) Bounds() (low, high float64) {
	if b == 0 {
		return 0, 0
	}
	least, width, power := b.lead()
	low, high = scaled(least, power), scaled(least+width, power)
	if b < 0 {
		return -high, -low
	}
	return low, high
}

func scaled(n, power int) float64 {
	// Parsed, since multiplying would be off in the last bit.
	f, err := strconv.ParseFloat(strconv.Itoa(n)+"e"+strconv.Itoa(power), 64)
	if err != nil {
		panic(err) // A bucket is far from the ends of a float.
	}
	return f
}
