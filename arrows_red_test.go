package docaxis_test

import (
	"strings"
	"testing"
)

// sound has every kind of import that is allowed.
func sound() graph {
	return graph{
		"proto/axispb":       {"google.golang.org/protobuf/proto"},
		"agency":             {"strings"},
		"deploy":             {"embed"},
		"signing":            {"crypto/x509", "net/url", "time", "proto/axispb", "signing/asic"},
		"signing/asic":       {"encoding/xml"},
		"edxml":              {"agency", "signing", "proto/axispb"},
		"internal/chunk":     {"io"},
		"internal/token":     {pkcs11, "internal/signer"},
		"internal/evidence":  {"internal/chunk", "proto/axispb", "signing"},
		"internal/bus":       {natsClient, "internal/evidence"},
		"internal/hubtest":   {"axis", "endpoint", "deploy", natsServer + "/v2/server", natsClient},
		"axis/broker":        {natsServer + "/v2/server", natsClient, "github.com/nats-io/nkeys", "internal/bus"},
		"axis/journal":       {natsClient, natsStreams, "axis/journal/chain"},
		"axis/journal/chain": {"internal/chunk", "axis/journal/form"},
		"axis/content":       {"modernc.org/sqlite", "internal/chunk"},
		"axis":               {"axis/broker", "axis/journal", "axis/content", "edxml"},
		"endpoint/outbox":    {bbolt, "internal/chunk"},
		"endpoint/link":      {"internal/bus"},
		"endpoint/vxp":       {"net/http", "edxml", "internal/evidence"},
		"endpoint":           {"endpoint/outbox", "endpoint/link", "endpoint/vxp", bbolt},
		"auditor":            {"auditor/page", "internal/evidence", "signing"},
		"auditor/page":       {"net/http"},
		"cmd/axis":           {"axis", "axis/content", "cmd/axis/flags"},
		"cmd/endpoint":       {"endpoint"},
		"cmd/signer/command": {"internal/token", "internal/signer"},
		"cmd/auditor":        {"auditor"},
		"cmd/demo":           {"axis", "endpoint", "internal/hubtest"},
		"cmd/bench":          {"internal/hubtest", "axis", "endpoint"},
	}
}

func TestSoundGraphBreaksNothing(t *testing.T) {
	for _, b := range broken(sound()) {
		t.Error(b)
	}
}

// Each import added to a sound graph breaks the rule that it is made for.
func TestEveryRuleIsSeenRed(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct{ from, to, rule string }{
		{"axis", "endpoint", "axis, endpoint and auditor never import each other"},
		{"axis/content", "endpoint/outbox", "axis, endpoint and auditor never import each other"},
		{"endpoint", "axis/content", "axis, endpoint and auditor never import each other"},
		{"auditor", "axis/tlog", "axis, endpoint and auditor never import each other"},
		{"axis/console", "auditor", "axis, endpoint and auditor never import each other"},
		{"axis/journal", "axis/content", "a part imports neither its siblings nor its parent"},
		{"axis/journal/chain", "axis/content", "a part imports neither its siblings nor its parent"},
		{"axis/journal/chain", "axis", "a part imports neither its siblings nor its parent"},
		{"endpoint/vxp", "endpoint/desk", "a part imports neither its siblings nor its parent"},
		{"endpoint/link", "endpoint", "a part imports neither its siblings nor its parent"},
		{"cmd/axis", "cmd/endpoint", "nobody imports a command"},
		{"axis", "cmd/axis", "nobody imports a command"},
		{"internal/hubtest", "cmd/bench", "nobody imports a command"},
		{"signing", "internal/chunk", "signing, agency and proto import nothing of ours but proto"},
		{"signing/asic", "agency", "signing, agency and proto import nothing of ours but proto"},
		{"agency", "internal/chunk", "signing, agency and proto import nothing of ours but proto"},
		{"agency", "edxml", "signing, agency and proto import nothing of ours but proto"},
		{"proto/axispb", "agency", "signing, agency and proto import nothing of ours but proto"},
		{"deploy", "agency", "deploy imports nothing of ours"},
		{"internal/bus", "deploy", "internal imports only internal, signing, agency and proto"},
		{"edxml", "internal/chunk", "edxml imports only signing, agency and proto"},
		{"edxml", "axis/content", "edxml imports only signing, agency and proto"},
		{"internal/chunk", "edxml", "internal imports only internal, signing, agency and proto"},
		{"internal/bus", "axis/content", "internal imports only internal, signing, agency and proto"},
		{"internal/bus", "endpoint", "internal imports only internal, signing, agency and proto"},
		{"axis/content", hubtest, "hubtest is for tests, cmd/demo and cmd/bench"},
		{"cmd/axis", hubtest, "hubtest is for tests, cmd/demo and cmd/bench"},
		{"internal/timestamp", signingtest, "signingtest is for tests, hubtest, cmd/demo and cmd/bench"},
		{"signing", signingtest, "signingtest is for tests, hubtest, cmd/demo and cmd/bench"},
		{"cmd/endpoint", signertest, "signertest is for tests"},
		{"internal/signer", pkcs11, "PKCS#11 is for internal/token, and that for the signer"},
		{"endpoint", tokens, "PKCS#11 is for internal/token, and that for the signer"},
		{"internal/evidence", natsClient, "nats.go is for internal/bus, axis/broker and axis/journal"},
		{"axis", natsClient, "nats.go is for internal/bus, axis/broker and axis/journal"},
		{"endpoint/link", natsClient, "nats.go is for internal/bus, axis/broker and axis/journal"},
		{"endpoint/link", natsClient + "/micro", "nats.go is for internal/bus, axis/broker and axis/journal"},
		{"axis/broker", natsStreams, "jetstream is for axis/journal"},
		{"internal/bus", natsStreams, "jetstream is for axis/journal"},
		{"axis/journal", natsServer + "/v2/server", "the NATS server and its modules are for axis/broker"},
		{"internal/bus", "github.com/nats-io/nkeys", "the NATS server and its modules are for axis/broker"},
		{"cmd/bench", natsServer + "/v2/server", "the NATS server and its modules are for axis/broker"},
		{"signing/pades", pdfcpu, "pdfcpu is a second opinion, for the auditor"},
		{"signing", "net/http", "signing has no log and no network"},
		{"signing/asic", "net", "signing has no log and no network"},
		{"signing", "log", "signing has no log and no network"},
		{"signing", "log/slog", "signing has no log and no network"},
		{"internal/evidence", natsServer + "/v2", "the endpoint does not contain the NATS server"},
		{"cmd/endpoint", natsServer + "/v2", "the endpoint does not contain the NATS server"},
		{"auditor/page", bbolt, "the auditor contains neither NATS nor bbolt"},
		{"internal/evidence", bbolt, "the auditor contains neither NATS nor bbolt"},
		{"cmd/auditor", "internal/bus", "the auditor contains neither NATS nor bbolt"},
		{"endpoint/vxp", bbolt, "faces never see NATS or bbolt"},
		{"endpoint/vxp", "internal/bus", "faces never see NATS or bbolt"},
		{"edxml", bbolt, "faces never see NATS or bbolt"},
		{"cmd/axis", "endpoint", "only tests, hubtest, cmd/demo and cmd/bench see both sides"},
		{"cmd/endpoint", "axis/content", "only tests, hubtest, cmd/demo and cmd/bench see both sides"},
		{"helpers", "io", "every package is in a room of the design"},
		{"cmd/auditor", hubtest, "only tests, hubtest, cmd/demo and cmd/bench see both sides"},
	} {
		g := sound()
		g[c.from] = append(g[c.from], c.to)
		if !contains(broken(g), c.rule) {
			t.Errorf("%s imports %s and nothing says %q: %q", c.from, c.to, c.rule, broken(g))
		}
		seen[c.rule] = true
	}
	for _, r := range rules {
		if !seen[r.name] {
			t.Errorf("never seen red: %s", r.name)
		}
	}
	for _, r := range reaches {
		if !seen[r.name] {
			t.Errorf("never seen red: %s", r.name)
		}
	}
}

func contains(found []string, rule string) bool {
	for _, f := range found {
		if strings.HasPrefix(f, rule+": ") {
			return true
		}
	}
	return false
}
