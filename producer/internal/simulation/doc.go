// Package simulation runs the producer's own delivery, from the question what is
// loaded to the end of --wait, on a clock of its own, against a stream and
// consumers that are models of the real ones and that lose, repeat, delay,
// reorder, purge and restart. It has tests only.
//
// A schedule is all that happens in one such run, and follows from its seed: what
// the models decide is drawn in the order of events, and no two events of theirs
// happen at the same nanosecond.
package simulation
