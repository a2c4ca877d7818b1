package inputs

import "errors"

// ErrExcluded says that nothing is left to load.
var ErrExcluded = errors.New("every file is excluded. Check --exclude")
