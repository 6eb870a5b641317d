// Package bus owns the transport: subjects, requests and answers over NATS, and the
// connection of an endpoint.
package bus

import "strings"

// Service is a word that an endpoint may ask the axis under.
type Service string

// The services of the axis; proto/service.proto says what each takes and gives.
const (
	Submit   Service = "submit"
	Evidence Service = "evidence"
	Pull     Service = "pull"
	Have     Service = "have"
	Put      Service = "put"
	Get      Service = "get"
	Proof    Service = "proof"
	Renew    Service = "renew"
	Enrol    Service = "enrol"
)

const (
	servicePrefix = "ax."
	inboxPrefix   = "ax.in."
	bellPrefix    = "ax.bell."
)

// ServiceSubject is where an endpoint asks a service.
func ServiceSubject(s Service, endpoint string) string {
	return servicePrefix + string(s) + "." + endpoint
}

// BellSubject is where an endpoint hears that something is there.
func BellSubject(endpoint string) string { return bellPrefix + endpoint }

// InboxPrefix is the prefix of every reply subject of an endpoint, without the
// dot that follows.
func InboxPrefix(endpoint string) string { return inboxPrefix + endpoint }

// ReplyAllowed reports whether a reply subject is a literal one under the
// endpoint's own inbox. Reply subjects are hostile input: NATS does not check
// them against the permissions of whoever sent them.
func ReplyAllowed(endpoint, reply string) bool {
	rest, ok := strings.CutPrefix(reply, InboxPrefix(endpoint)+".")
	if !ok || rest == "" || len(reply) > 256 {
		return false
	}
	for _, token := range strings.Split(rest, ".") {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n") {
			return false
		}
	}
	return true
}
