// Package simulation runs the consumer's own intake, pipeline and announcer on a
// clock of their own, against a broker and a database that are models of the
// real ones and that lose, repeat, delay and reorder. It has tests only.
//
// A schedule is all that happens in one such run, and follows from its seed:
// each decision of the models is drawn from the seed and from what is decided
// about, never from the order in which goroutines come by, and no two things
// happen at the same nanosecond.
package simulation
