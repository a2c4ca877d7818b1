// Package result is what the benchmark measures, as it stands in JSON.
package result

// Names of the processes whose cost is told apart.
const (
	Producer = "producer"
	Broker   = "broker"
	Consumer = "consumer"
	Postgres = "postgres"
	// Client is whoever sends a COPY: psql, or the benchmark itself.
	Client = "client"
)

// Processes in the order in which tables show them.
var Processes = []string{Producer, Broker, Consumer, Postgres, Client}

// Report is one run of the benchmark.
type Report struct {
	Began   string  `json:"began"`
	Ended   string  `json:"ended"`
	Version string  `json:"version"`
	Machine Machine `json:"machine"`
	// Rows of the file that each contender loads; Rounds of all contenders.
	Rows   int64 `json:"rows"`
	Rounds int   `json:"rounds"`

	Contenders []Contender `json:"contenders"`
	Latency    []Latency   `json:"latency,omitempty"`
	Start      *Start      `json:"start,omitempty"`
	Growth     []Growth    `json:"growth,omitempty"`
	Micro      []Micro     `json:"micro,omitempty"`
}

// Machine is what it ran on.
type Machine struct {
	CPU         string            `json:"cpu"`
	Cores       int               `json:"cores"`
	MemoryBytes int64             `json:"memory_bytes"`
	System      string            `json:"system"`
	Disk        string            `json:"disk"`
	Go          string            `json:"go"`
	NATS        string            `json:"nats_server"`
	Postgres    string            `json:"postgres"`
	Settings    map[string]string `json:"postgres_settings"`
	// Changed are the settings that are not PostgreSQL's defaults.
	Changed   map[string]string `json:"postgres_settings_changed,omitempty"`
	LoadBegan string            `json:"load_average_began"`
	LoadEnded string            `json:"load_average_ended"`
	Fsync     Times             `json:"fsync_ms"`
}

// Contender is one way to load the file, and its runs.
type Contender struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Runs  []Run  `json:"runs"`
}

// Run is one load of the file, found exact afterwards.
type Run struct {
	Round   int     `json:"round"`
	Rows    int64   `json:"rows"`
	Seconds float64 `json:"seconds"`
	// Process is the time from a producer's start to its end, where there is one.
	ProcessSeconds float64 `json:"process_seconds,omitempty"`
	// Snapshots is how many were announced: about as many as transactions.
	// FirstSeconds is when the first one came.
	Snapshots    int     `json:"snapshots,omitempty"`
	FirstSeconds float64 `json:"first_snapshot_seconds,omitempty"`
	// CPUSeconds and PeakBytes are by the names above.
	CPUSeconds map[string]float64 `json:"cpu_seconds"`
	PeakBytes  map[string]int64   `json:"peak_bytes,omitempty"`
}

// Rate is rows per second.
func (r Run) Rate() float64 { return float64(r.Rows) / r.Seconds }

// CPU is the CPU seconds per million rows of all processes together.
func (r Run) CPU() float64 {
	var sum float64
	for _, seconds := range r.CPUSeconds {
		sum += seconds
	}
	return sum / float64(r.Rows) * 1e6
}

// Latency is how long batches take from their publish to the snapshot that
// counts them.
type Latency struct {
	Title             string  `json:"title"`
	RowsPerSecond     int     `json:"rows_per_second"`
	BatchSize         int     `json:"batch_size"`
	Seconds           float64 `json:"seconds"`
	Dropped           float64 `json:"seconds_dropped"`
	PublishToAnnounce Times   `json:"publish_to_announce_ms"`
	// Late is the most that a publish came after its time: the benchmark's own
	// delay, which the latency does not count.
	Late float64 `json:"publish_late_ms"`
	// Fsync is the disk's, measured directly before.
	Fsync Times `json:"fsync_ms"`
}

// Times are quantiles of a duration, in milliseconds.
type Times struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Micro is a Go benchmark of one step, on one core.
type Micro struct {
	Package string `json:"package"`
	Name    string `json:"name"`
	// Medians are by unit: ns/op, rows/s, allocs/op.
	Medians map[string]float64 `json:"medians"`
}

// Start is the time from the consumer's start to its ready line, the schema
// being current.
type Start struct {
	ToReady Times `json:"to_ready_ms"`
}

// Growth is one long load, over time.
type Growth struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Run   Run    `json:"run"`
	// Quarters are the rows/s of each quarter of the rows.
	Quarters [4]float64 `json:"quarters_rows_per_second"`
	// Rate and Resident are over the time since the start, by process.
	Rate     []Point            `json:"rate"`
	Resident map[string][]Point `json:"resident,omitempty"`
}

// Flat is the rows/s of the last quarter as a share of the first's.
func (g Growth) Flat() float64 { return g.Quarters[3] / g.Quarters[0] }

// Point is a value at a time in seconds since the start.
type Point struct {
	Seconds float64 `json:"s"`
	Value   float64 `json:"v"`
}
