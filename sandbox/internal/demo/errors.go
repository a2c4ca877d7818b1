package demo

import "errors"

// ErrDisagree says that the running statistics are not what the database
// answers.
var ErrDisagree = errors.New("the running statistics do not agree with the database")

// ErrRejects says that all went well but for records that could not be stored.
var ErrRejects = errors.New("some records were rejected: see the producer's lines above")
