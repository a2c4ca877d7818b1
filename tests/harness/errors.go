package harness

import "errors"

var (
	// errEnded says that a test asked for an environment after the servers
	// had been ended, on an interrupt or near the -timeout.
	errEnded = errors.New("the test run is ending")
	// errDockerRequired says that REQUIRE_DOCKER=1 forbids the fallback.
	errDockerRequired = errors.New("REQUIRE_DOCKER=1")
)
