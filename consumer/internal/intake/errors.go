package intake

import "errors"

var (
	// errSilence comes also of a pull that the server lost in a restart.
	errSilence    = errors.New("pull: no sign of life from the server")
	errNoConsumer = errors.New("pull: nobody answers: the stream or its durable consumer is gone, or JetStream is off")
)
