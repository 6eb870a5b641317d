package registry

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// Batches makes changes of a list of agencies, each small enough for a record,
// parents before children. Agencies that stand in a loop come last as they are:
// Check will say so.
func Batches(agencies []*axispb.Agency, actor, reason string) []*axispb.RegistryChange {
	var (
		all  []*axispb.RegistryChange
		last *axispb.RegistryChange
		size int
	)
	for _, a := range parentsFirst(agencies) {
		step := &axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: a}}
		more := 1 + protowire.SizeBytes(proto.Size(step))
		if last == nil || size+more > MaxChange {
			last = &axispb.RegistryChange{Version: 1, Actor: actor, Reason: reason}
			all = append(all, last)
			size = proto.Size(last)
		}
		last.Changes = append(last.Changes, step)
		size += more
	}
	return all
}

// parentsFirst keeps the order of the list otherwise.
func parentsFirst(agencies []*axispb.Agency) []*axispb.Agency {
	owner := map[string]int{}
	for i, a := range agencies {
		for _, alias := range a.GetAliases() {
			owner[alias] = i
		}
	}
	for i, a := range agencies {
		owner[a.GetCode()] = i
	}
	ordered := make([]*axispb.Agency, 0, len(agencies))
	placed := make([]bool, len(agencies))
	var path []int
	for i := range agencies {
		// Up to the first one that stands, or is above nobody here; then down again.
		for next, found := i, true; found && !placed[next]; next, found = parentIn(owner, agencies[next]) {
			placed[next] = true
			path = append(path, next)
		}
		for ; len(path) > 0; path = path[:len(path)-1] {
			ordered = append(ordered, agencies[path[len(path)-1]])
		}
	}
	return ordered
}

func parentIn(owner map[string]int, a *axispb.Agency) (int, bool) {
	i, found := owner[a.GetParent()]
	return i, found && a.GetParent() != ""
}
