package consume

import (
	"context"

	"github.com/streamgauge/streamgauge/consumer/internal/page"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// prices is the distribution of prices as the live page draws it.
type prices struct{ database *store.Store }

func (p prices) Distribution(ctx context.Context) ([]page.Bucket, error) {
	counts, err := p.database.Prices(ctx)
	if err != nil {
		return nil, err
	}
	buckets := make([]page.Bucket, counts.Len())
	for i := range buckets {
		cell := counts.At(i)
		low, high := cell.Bucket.Bounds()
		buckets[i] = page.Bucket{Low: low, High: high, Count: cell.Count}
	}
	return buckets, nil
}
