package outbox

import (
	"bytes"
	"encoding/binary"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Class separates large submissions from small ones.
type Class byte

// The classes.
const (
	Small Class = iota
	Bulk
)

// lanes of documents, most urgent first.
var lanes = [...]axispb.Lane{axispb.Lane_LANE_REGISTRY, axispb.Lane_LANE_URGENT, axispb.Lane_LANE_NORMAL}

// ClassOf says how a submission is handled.
func ClassOf(e *axispb.OutboxEntry) Class {
	if e.Bytes > BulkBytes {
		return Bulk
	}
	return Small
}

// dueKey is the entry's place in the order of work; nil where there is nothing to
// do for it.
func dueKey(e *axispb.OutboxEntry) []byte {
	if !Live(e) || len(e.After) > 0 {
		return nil
	}
	key := append(lanePrefix(ClassOf(e), e.Lane), boltpb.Uint64(uint64(e.NextAttemptMs))...)
	return append(key, e.Id...)
}

func lanePrefix(c Class, l axispb.Lane) []byte { return []byte{byte(c), byte(l)} }

// Job is a submission that is due.
type Job struct {
	ID   string
	Lane axispb.Lane
}

// Due lists what is due in a class, most urgent first and within a lane the
// longest due first, at most limit. Of what is not yet due, wake is the earliest;
// zero where there is none.
func (o Outbox) Due(c Class, now time.Time, limit int) (jobs []Job, wake time.Time) {
	for _, lane := range lanes {
		prefix := lanePrefix(c, lane)
		cur := o.due.Cursor()
		for k, _ := cur.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
			at := time.UnixMilli(int64(binary.BigEndian.Uint64(k[2:10])))
			if at.After(now) {
				wake = earlier(wake, at)
				break
			}
			if len(jobs) == limit {
				return jobs, wake
			}
			jobs = append(jobs, Job{ID: string(k[10:]), Lane: lane})
		}
	}
	return jobs, wake
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
