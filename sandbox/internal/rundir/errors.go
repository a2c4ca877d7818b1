package rundir

import "errors"

// ErrInUse says that another living process holds the folder.
var ErrInUse = errors.New("folder is in use by another running sandbox")
