package content

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func malformed(format string, args ...any) error {
	return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, fmt.Sprintf(format, args...))
}

// notFound is the one answer for a chunk that is not there and for one that the
// endpoint may not read.
func notFound(id chunk.ID) error {
	return reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id.String())
}

// missing is temporary: the same submission passes once the endpoint has uploaded
// what Have says is missing.
func missing(file string) error {
	return reason.Temporary(axispb.ReasonCode_REASON_CONTENT_MISSING, file)
}

func mismatch(name string) error {
	return reason.Permanent(axispb.ReasonCode_REASON_DIGEST_MISMATCH, name)
}

// unavailable gives any error that has no reason yet the one of a store that
// cannot serve just now.
func unavailable(err error) error {
	var known *reason.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case isFull(err):
		return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "content store: no space left").Because(err)
	default:
		return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "content store").Because(err)
	}
}

// isFull reports whether a disk or a disk quota is used up.
func isFull(err error) bool {
	const sqliteFull = 13
	var coded interface{ Code() int } // an error of SQLite
	if errors.As(err, &coded) && coded.Code()&0xff == sqliteFull {
		return true
	}
	const windowsHandleDiskFull, windowsDiskFull = syscall.Errno(39), syscall.Errno(112)
	if runtime.GOOS == "windows" && (errors.Is(err, windowsHandleDiskFull) || errors.Is(err, windowsDiskFull)) {
		return true
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// size says bytes to people: "64 GiB", "512 MiB", "1000 B".
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	default:
		return fmt.Sprintf("%d B", n)
	}
}
