package container

import "errors"

// ErrUnavailable says that there is no docker command or no engine that
// answers it.
var ErrUnavailable = errors.New("docker is not available")
