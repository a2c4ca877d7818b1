package wire

// The headers of a batch message. Their specification stands in README.md.
const (
	HeaderVersion   = "Streamgauge-Version"
	HeaderSource    = "Streamgauge-Source"
	HeaderName      = "Streamgauge-Name"
	HeaderSize      = "Streamgauge-Size"
	HeaderSameName  = "Streamgauge-Same-Name"
	HeaderBatch     = "Streamgauge-Batch"
	HeaderBatches   = "Streamgauge-Batches"
	HeaderFirstLine = "Streamgauge-First-Line"
	HeaderRecords   = "Streamgauge-Records"
	HeaderPlan      = "Streamgauge-Plan"
	HeaderDigest    = "Streamgauge-Digest"
	// HeaderLongLength and HeaderLongDigest come together, on a batch that is
	// one record too long to travel whole, and on no other.
	HeaderLongLength = "Streamgauge-Long-Length"
	HeaderLongDigest = "Streamgauge-Long-Digest"
)

// sameNameAllowed is the only value HeaderSameName may have.
const sameNameAllowed = "allowed"
