package wire

// LoadRequest asks the consumers, at the subject topology.SubjectLoad, what
// they know of one source. It travels as JSON.
type LoadRequest struct {
	// Source asks by identity; it may be empty.
	Source string `json:"source,omitempty"`
	// Name asks which sources stand under this name; it may be empty.
	Name string `json:"name,omitempty"`
	// Missing asks for at most this many ranges of missing batches, and MaxMissing in
	// any case. Zero asks for none.
	Missing int `json:"missing,omitempty"`
	// Rejects asks for at most this many of the source's rejects, and MaxRejects in
	// any case. Zero asks for none.
	Rejects int `json:"rejects,omitempty"`
}

// What an answer holds at most, so that it fits a message: of lists so many
// members, of the beginning of a reject's record so many bytes.
const (
	MaxNamed   = 20
	MaxDead    = 1000
	MaxMissing = 10_000
	MaxRejects = 1000
	MaxRaw     = 200
)

// LoadReply answers a LoadRequest.
type LoadReply struct {
	// Load is the source asked for by identity; nil when nothing of it has been stored.
	Load *Load `json:"load,omitempty"`
	// Named are the sources under the name asked for, the newest first, at most MaxNamed.
	Named []Load `json:"named,omitempty"`
	// Dead are the dead batches whose headers claim the source asked for, the
	// newest first, at most MaxDead.
	Dead []DeadBatch `json:"dead,omitempty"`
}

// Load is the state of one source in the database, read at one moment.
type Load struct {
	Source string `json:"source"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	// Plan is the stored plan, fixed by the first batch that was committed.
	Plan Plan `json:"plan"`
	// Batches is how many the source has in all, Done how many are in the ledger.
	Batches int64 `json:"batches"`
	Done    int64 `json:"done"`
	// Rows and Rejected add up to the records of the batches done.
	Rows     int64 `json:"rows"`
	Rejected int64 `json:"rejected"`
	// Retired says that the load was taken back: nothing of it is stored, and its
	// batches are ignored.
	Retired bool `json:"retired,omitempty"`
	// Missing are ranges of batch numbers that are not in the ledger, ascending,
	// as many as were asked for. MissingMore says that there are more.
	Missing     []Range `json:"missing,omitempty"`
	MissingMore bool    `json:"missing_more,omitempty"`
	// Rejects are the first rejects by line, as many as were asked for.
	Rejects []Reject `json:"rejects,omitempty"`
}

// Complete says that every batch of the source is in the ledger.
func (l *Load) Complete() bool { return l.Done == l.Batches }

// Range is the batch numbers First to Last, both included.
type Range struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// Reject is a record that could not be stored.
type Reject struct {
	Line   int64  `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
	// Raw is the beginning of the record's bytes, at most 200 of them: whatever
	// the file held, to be escaped wherever it is shown.
	Raw []byte `json:"raw"`
}

// DeadBatch is a message that was set aside whole, as far as its headers tell.
type DeadBatch struct {
	// Number is the batch number it claims; zero when it claims none.
	Number int64 `json:"number,omitempty"`
	// Sequence is its sequence in the stream, as its PubAck gave it.
	Sequence uint64 `json:"sequence"`
	Reason   string `json:"reason"`
}
