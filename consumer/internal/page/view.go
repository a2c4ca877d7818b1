package page

import (
	"fmt"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// What follows is the data of the events. Numbers that count or measure are
// strings: JavaScript's numbers hold 15 digits. Names, reasons and records come
// from anywhere, and are escaped where they can't be seen as they are.

type hello struct {
	// Build changes where the page has to be loaded anew.
	Build   string `json:"build"`
	Version string `json:"version"`
	// Starting says that it is not connected yet; the first look ends that.
	Starting bool `json:"starting"`
}

// figures is a snapshot; empty strings are SQL's NULL.
type figures struct {
	Database  string `json:"database"`
	Revision  int64  `json:"revision,string"`
	Rows      int64  `json:"rows,string"`
	Count     int64  `json:"count,string"`
	Nulls     int64  `json:"nulls,string"`
	Rejected  int64  `json:"rejected,string"`
	Dead      int64  `json:"dead,string"`
	Sum       string `json:"sum"`
	Mean      string `json:"mean"`
	Min       string `json:"min"`
	Max       string `json:"max"`
	StdDev    string `json:"stddev"`
	P50       string `json:"p50"`
	P95       string `json:"p95"`
	P99       string `json:"p99"`
	First     string `json:"first"`
	Last      string `json:"last"`
	Source    string `json:"source"`
	UpdatedAt string `json:"updated_at"`
}

func snapshotView(s *stats.Snapshot) figures {
	return figures{
		Database: s.Database, Revision: s.Revision,
		Rows: s.Rows, Count: s.Count, Nulls: s.Nulls, Rejected: s.Rejected, Dead: s.Dead,
		Sum: string(s.Sum), Mean: string(s.Mean), Min: string(s.Min), Max: string(s.Max), StdDev: string(s.StdDev),
		P50: string(s.P50), P95: string(s.P95), P99: string(s.P99),
		First: string(s.First), Last: string(s.Last),
		Source: report.Printable(s.Source), UpdatedAt: string(s.UpdatedAt),
	}
}

// courseData is the mean so far.
type courseData struct {
	Database string      `json:"database"`
	Points   [][3]string `json:"points"` // revision, count, mean
}

func courseView(database string, points []point) courseData {
	view := courseData{database, make([][3]string, len(points))}
	for i, p := range points {
		view.Points[i] = [3]string{fmt.Sprint(p.revision), fmt.Sprint(p.count), string(p.mean)}
	}
	return view
}

type lookData struct {
	Rate float64 `json:"rate"` // rows a second, to be rounded for showing
	// Queue is null where NATS did not answer, Recent where PostgreSQL did not.
	Queue  *queueData  `json:"queue"`
	Recent *recentData `json:"recent"`
}

type queueData struct {
	Batches uint64  `json:"batches,string"`
	Bytes   uint64  `json:"bytes,string"`
	Oldest  float64 `json:"oldest"` // seconds
}

type recentData struct {
	Sources  int64        `json:"sources,string"`
	UnderWay int64        `json:"under_way,string"`
	Loads    []loadData   `json:"loads"`
	Rejects  []rejectData `json:"rejects"`
	Dead     []deadData   `json:"dead"`
}

type loadData struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Batches     int64  `json:"batches,string"`
	Done        int64  `json:"done,string"`
	Rows        int64  `json:"rows,string"`
	Rejected    int64  `json:"rejected,string"`
	CompletedAt string `json:"completed_at"` // empty while batches are missing
}

type rejectData struct {
	Name   string `json:"name"`
	Line   int64  `json:"line,string"`
	Column string `json:"column"`
	Reason string `json:"reason"`
	Record string `json:"record"` // its beginning
	At     string `json:"at"`
}

type deadData struct {
	ID     int64  `json:"id,string"`
	Reason string `json:"reason"`
	At     string `json:"at"`
}

func lookView(l *look) lookData {
	view := lookData{Rate: l.rate}
	if l.backlog != nil {
		view.Queue = &queueData{l.backlog.Batches, l.backlog.Bytes, l.backlog.Oldest.Seconds()}
	}
	if l.recent != nil {
		view.Recent = recentView(l.recent)
	}
	return view
}

func recentView(r *store.Recent) *recentData {
	view := &recentData{
		Sources: r.Sources, UnderWay: r.UnderWay,
		Loads: make([]loadData, 0, len(r.Loads)), Rejects: make([]rejectData, 0, len(r.Rejects)), Dead: make([]deadData, 0, len(r.Dead)),
	}
	for _, l := range r.Loads {
		view.Loads = append(view.Loads, loadData{
			ID: l.Source, Name: report.Printable(l.Name), Batches: l.Batches, Done: l.Done,
			Rows: l.Rows, Rejected: l.Rejected, CompletedAt: string(l.CompletedAt),
		})
	}
	for _, r := range r.Rejects {
		view.Rejects = append(view.Rejects, rejectData{
			Name: report.Printable(r.Name), Line: r.Line, Column: report.Printable(r.Column),
			Reason: report.Printable(r.Reason), Record: excerpt(r.Raw, r.Length), At: string(r.RejectedAt),
		})
	}
	for _, d := range r.Dead {
		view.Dead = append(view.Dead, deadData{d.ID, report.Printable(d.Reason), string(d.At)})
	}
	return view
}

// longestExcerpt is in bytes.
const longestExcerpt = 120

func excerpt(raw []byte, length int64) string {
	shown := raw[:min(len(raw), longestExcerpt)]
	for n := len(shown); n < len(raw) && n > 0 && !utf8.RuneStart(raw[n]); n-- {
		shown = shown[:n-1]
	}
	text := report.Printable(string(shown))
	if int64(len(shown)) < length {
		text += " …"
	}
	return text
}
