package docaxis_test

import (
	"fmt"
	"slices"
	"strings"
)

// graph has, for every package of the module by its path within it, what its own
// files (not its tests) import: packages of the module by their path within it,
// others by their whole path.
type graph map[string][]string

const (
	natsModules = "github.com/nats-io"
	natsClient  = "github.com/nats-io/nats.go"
	natsStreams = "github.com/nats-io/nats.go/jetstream"
	natsServer  = "github.com/nats-io/nats-server"
	bbolt       = "go.etcd.io/bbolt"
	pdfcpu      = "github.com/pdfcpu"
	hubtest     = "internal/hubtest"
	signingtest = "signing/signingtest"
	signertest  = "internal/signer/signertest"
	pkcs11      = "github.com/miekg/pkcs11"
	tokens      = "internal/token"
)

// bothSides are the packages beside tests that may see axis and endpoint.
var bothSides = []string{hubtest, "cmd/demo", "cmd/bench"}

// within reports whether a package is one of the trees, or below one.
func within(pkg string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(t string) bool {
		return pkg == t || strings.HasPrefix(pkg, t+"/")
	})
}

// tree is a package's first element, part its first two.
func tree(pkg string) string { return firstElements(pkg, 1) }

func part(pkg string) string { return firstElements(pkg, 2) }

func firstElements(pkg string, n int) string {
	elements := strings.SplitN(pkg, "/", n+1)
	return strings.Join(elements[:min(n, len(elements))], "/")
}

// rule forbids some imports.
type rule struct {
	name    string
	forbids func(from, to string) bool
}

// rules are section 6 of docs/design.md, import by import.
var rules = []rule{
	{"axis, endpoint and auditor never import each other", func(from, to string) bool {
		sides := []string{"axis", "endpoint", "auditor"}
		return within(from, sides...) && within(to, sides...) && tree(from) != tree(to)
	}},
	{"a part imports neither its siblings nor its parent", func(from, to string) bool {
		return within(from, "axis", "endpoint", "auditor") && from != tree(from) &&
			tree(from) == tree(to) && part(from) != part(to)
	}},
	{"nobody imports a command", func(from, to string) bool {
		return within(to, "cmd") && part(from) != part(to)
	}},
	{"signing, agency and proto import nothing of ours but proto", func(from, to string) bool {
		return within(from, "signing", "agency", "proto") && !foreign(to) && !within(to, tree(from), "proto")
	}},
	{"deploy imports nothing of ours", func(from, to string) bool {
		return within(from, "deploy") && !foreign(to)
	}},
	{"edxml imports only signing, agency and proto", func(from, to string) bool {
		return within(from, "edxml") && !foreign(to) && !within(to, "edxml", "signing", "agency", "proto")
	}},
	{"internal imports only internal, signing, agency and proto", func(from, to string) bool {
		return within(from, "internal") && from != hubtest && !foreign(to) &&
			!within(to, "internal", "signing", "agency", "proto") &&
			// The mapping between document.json and edXML needs both, reasons quote the rules
			// of packages, and labels are of the files within them.
			!(within(from, "internal/envelope", "internal/reason", "internal/inspect") && to == "edxml")
	}},
	{"hubtest is for tests, cmd/demo and cmd/bench", func(from, to string) bool {
		return to == hubtest && !slices.Contains(bothSides, from)
	}},
	{"signingtest is for tests, hubtest, cmd/demo and cmd/bench", func(from, to string) bool {
		return to == signingtest && !slices.Contains(bothSides, from)
	}},
	{"signertest is for tests", func(_, to string) bool { return to == signertest }},
	{"PKCS#11 is for internal/token, and that for the signer", func(from, to string) bool {
		return to == pkcs11 && from != tokens || to == tokens && !within(from, "cmd/signer")
	}},
	{"nats.go is for internal/bus, axis/broker and axis/journal", func(from, to string) bool {
		return within(to, natsClient) && !within(from, "internal/bus", "axis/broker", "axis/journal", hubtest)
	}},
	{"jetstream is for axis/journal", func(from, to string) bool {
		return within(to, natsStreams) && !within(from, "axis/journal", hubtest)
	}},
	{"the NATS server and its modules are for axis/broker", func(from, to string) bool {
		return within(to, natsModules) && !within(to, natsClient) && !within(from, "axis/broker", hubtest)
	}},
	{"pdfcpu is a second opinion, for the auditor", func(from, to string) bool {
		return within(to, pdfcpu) && !within(from, "auditor", "cmd/auditor")
	}},
	{"signing has no log and no network", func(from, to string) bool {
		pure := within(to, "net/url", "net/netip")
		return within(from, "signing") && within(to, "log", "net") && !pure
	}},
}

// foreign reports whether an import is not of the module; its own packages are in
// known trees.
func foreign(pkg string) bool {
	return !within(pkg, "axis", "endpoint", "auditor", "cmd", "internal", "edxml", "signing", "agency", "proto", "deploy")
}

// reach forbids packages some dependencies over any number of imports.
type reach struct {
	name string
	who  func(pkg string) bool
	what []string
}

var reaches = []reach{
	{"the endpoint does not contain the NATS server", in("endpoint", "cmd/endpoint"), []string{natsServer}},
	{"the auditor contains neither NATS nor bbolt", in("auditor", "cmd/auditor"), []string{natsModules, bbolt}},
	{
		"faces never see NATS or bbolt",
		in("endpoint/vxp", "endpoint/rest", "endpoint/folder", "endpoint/desk"),
		[]string{natsModules, bbolt},
	},
}

func in(trees ...string) func(string) bool {
	return func(pkg string) bool { return within(pkg, trees...) }
}

// broken lists every rule that the graph breaks, with where.
func broken(g graph) []string {
	var found []string
	for pkg := range g {
		if foreign(pkg) {
			found = append(found, "every package is in a room of the design: "+pkg)
		}
		found = append(found, g.brokenImports(pkg)...)
		found = append(found, g.brokenReach(pkg)...)
	}
	slices.Sort(found)
	return found
}

func (g graph) brokenImports(from string) (found []string) {
	for _, to := range g[from] {
		for _, r := range rules {
			if r.forbids(from, to) {
				found = append(found, fmt.Sprintf("%s: %s imports %s", r.name, from, to))
			}
		}
	}
	return found
}

func (g graph) brokenReach(pkg string) (found []string) {
	for _, r := range reaches {
		if way := g.path(pkg, r.what...); r.who(pkg) && way != nil {
			found = append(found, r.name+": "+strings.Join(way, " imports "))
		}
	}
	axis, endpoint := g.path(pkg, "axis"), g.path(pkg, "endpoint")
	if axis != nil && endpoint != nil && !slices.Contains(bothSides, pkg) {
		found = append(found, fmt.Sprintf("only tests, hubtest, cmd/demo and cmd/bench see both sides: %s; %s",
			strings.Join(axis, " imports "), strings.Join(endpoint, " imports ")))
	}
	return found
}

// path is a shortest way from a package to one within the trees.
func (g graph) path(from string, trees ...string) []string {
	queue, seen := [][]string{{from}}, map[string]bool{from: true}
	for len(queue) > 0 {
		way := queue[0]
		queue = queue[1:]
		last := way[len(way)-1]
		if within(last, trees...) {
			return way
		}
		for _, to := range g[last] {
			if !seen[to] {
				seen[to] = true
				queue = append(queue, append(slices.Clone(way), to))
			}
		}
	}
	return nil
}
