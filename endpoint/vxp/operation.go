package vxp

import (
	"net/http"
	"strings"
)

// frame is what an answer must have in every case for the SDK to read it.
type frame int

const (
	// threeFields are status, ErrorCode and ErrorDesc.
	threeFields frame = iota
	// andDocID: without DocId, 2.0.0 and 2.0.1 lose a refusal of sendEdoc altogether.
	andDocID
	// andData: without data, 2.0.0 loses a refusal of getEdoc altogether.
	andData
	// anything is for a request of which nobody knows what it wanted.
	anything
	// rawBody: no JSON; a refusal has an empty body.
	rawBody
)

// operation is one of the SDK's.
type operation struct {
	name, method string
	frame        frame
	// streams: the body is passed on at the client's pace, which may take long.
	streams bool
	// takesBody: the body says something.
	takesBody bool
	// run answers, or says why not. It returns no error once an answer was begun that
	// can be brought to its end.
	run func(*handler, *call) error
}

// operationAt finds the operation of a path. An endpoint may be configured with a path
// of its own and with a slash at its end, which gives //sendEdoc: only the last element
// counts, and nothing is redirected, because the JDK follows a redirect of sendEdoc
// without the document.
func operationAt(path string) operation {
	path = strings.TrimRight(path, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	if op, known := operations(name); known {
		op.name = name
		return op
	}
	return operation{name: "?", frame: anything}
}

func operations(name string) (operation, bool) {
	post := operation{method: http.MethodPost, frame: threeFields}
	switch name {
	case "getAgenciesList":
		post.run = (*handler).agencies
	case "getAgenciesListQD20":
		post.run = (*handler).agenciesQD20
	case "getSynchronizeUnit":
		post.run = (*handler).units
	case "registerAgency":
		post.run, post.takesBody = (*handler).register, true
	case "deleteAgency":
		post.run = (*handler).deleteAgency
	case "sendEdoc":
		post.run, post.frame, post.streams, post.takesBody = (*handler).send, andDocID, true, true
	case "getReceivedEdocList":
		post.run = (*handler).received
	case "countReceiveEdoc":
		post.run = count(Documents)
	case "countReceiveStatus":
		post.run = count(Statuses)
	case "getEdoc":
		post.run, post.frame, post.streams = (*handler).get, andData, true
	case "updateStatus":
		post.run = (*handler).update
	case "getSentEdocList":
		post.run = (*handler).sent
	case "downloadEdoc":
		return operation{method: http.MethodGet, frame: rawBody, streams: true, run: (*handler).download}, true
	case "downloadEdoc2":
		// A leftover in 2.0.1 that signs nothing; it, too, would save an answer's text
		// as a document.
		return operation{frame: rawBody}, true
	default:
		return operation{}, false
	}
	return post, true
}
