// Package bus owns the transport: subjects, requests and answers over NATS, and the
// connection of an endpoint.
package bus

import (
	"encoding/hex"
	"strings"
)

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
	Recover  Service = "recover"
	Register Service = "register"
)

// MaxPayload is the most bytes of one message. A chunk's range with its framing
// and a page of 1 MiB that goes over by one item must fit.
const MaxPayload = 2 << 20

// AllInboxes and AllBells are every subject that the axis answers and rings on.
const (
	AllInboxes = "ax.in.>"
	AllBells   = "ax.bell.>"
)

const (
	servicePrefix = "ax."
	inboxPrefix   = "ax.in."
	bellPrefix    = "ax.bell."
	invitePrefix  = "invitation_"

	maxEndpointName = 40
	maxReply        = 256
)

// Services lists every service of the axis.
func Services() []Service {
	return []Service{Submit, Evidence, Pull, Have, Put, Get, Proof, Renew, Enrol, Recover, Register}
}

// ServiceSubject is where an endpoint asks a service.
func ServiceSubject(s Service, endpoint string) string {
	return servicePrefix + string(s) + "." + endpoint
}

// AnySubject is where all endpoints ask a service.
func AnySubject(s Service) string { return ServiceSubject(s, "*") }

// BellSubject is where an endpoint hears that something is there.
func BellSubject(endpoint string) string { return bellPrefix + endpoint }

// InboxPrefix is the prefix of every reply subject of an endpoint, without the
// dot that follows.
func InboxPrefix(endpoint string) string { return inboxPrefix + endpoint }

// Inboxes is every reply subject of an endpoint.
func Inboxes(endpoint string) string { return InboxPrefix(endpoint) + ".>" }

// InviteUser is the name under which the holder of an invitation connects, and
// stands where the endpoint's name stands in the subjects. It holds a character
// that no endpoint's name may hold, so it never is the name of one.
func InviteUser(secretHash []byte) string {
	return invitePrefix + hex.EncodeToString(secretHash)
}

// IsInviteUser reports whether a name is that of an invitation's holder.
func IsInviteUser(name string) bool { return strings.HasPrefix(name, invitePrefix) }

// ValidEndpoint reports whether a name may be an endpoint's: lower-case letters,
// digits and dashes, at most 40 (registry.proto). A name with a dot or a
// wildcard in it would reach into the subjects of others.
func ValidEndpoint(name string) bool {
	if name == "" || len(name) > maxEndpointName {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// ReplyAllowed reports whether a reply subject is a literal one under the
// endpoint's own inbox. Reply subjects are hostile input: NATS does not check
// them against the permissions of whoever sent them.
func ReplyAllowed(endpoint, reply string) bool {
	rest, ok := strings.CutPrefix(reply, InboxPrefix(endpoint)+".")
	if !ok || rest == "" || len(reply) > maxReply {
		return false
	}
	for token := range strings.SplitSeq(rest, ".") {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n") {
			return false
		}
	}
	return true
}

// asker reads the endpoint's name out of the subject of a request. The broker
// lets an endpoint publish under its own name only, so the name is authentic.
func asker(s Service, subject string) (string, bool) {
	name, ok := strings.CutPrefix(subject, servicePrefix+string(s)+".")
	return name, ok && (ValidEndpoint(name) || IsInviteUser(name))
}
