// Package auditor owns what an auditor is told about files: it decides by their
// content what they are, judges every signature and proof in them by whom the caller
// trusts, and says it in words or as a Report for scripts.
//
// It uses no network. Whether a certificate was revoked is judged by what a file itself
// brings along and what the caller knows (Options.Revocation, Options.Ask); where there
// is nothing, the answer is INDETERMINATE (TRY_LATER), never that it passed.
package auditor

import (
	"crypto/x509"
	"time"

	"docaxis/internal/lang"
	"docaxis/signing"
)

// Options say what files are judged by.
type Options struct {
	// Anchors are whom to believe: authorities of signers and of time, the CA of an
	// axis; a certificate that is no authority's is believed as a signer's itself.
	// Without any, nothing passes.
	Anchors []*x509.Certificate
	// At is the moment to judge at, and Source what vouches for it: signing.TimeNow
	// or signing.TimeGiven.
	At     time.Time
	Source signing.TimeSource
	// Revocation is what is known of revoked certificates beside what files bring along;
	// nil is nothing.
	Revocation *signing.Revocation
	// Ask, where it is not nil, is asked once about the chains that lead to an anchor, of
	// all files together. It is the caller's who asks whom; nobody else is asked.
	Ask func(chains [][]*x509.Certificate) Known
	// Content is the file that a detached signature is over; where it is empty, the
	// one that is named as the signature without .p7s.
	Content string
	// Lang is the language of the sentences.
	Lang lang.Language
	// Folder is where files of packages are put while they are looked at; an empty
	// one is that of the machine.
	Folder string
}

// Verify judges files, and folders by the files in them. It never fails: a file that
// cannot be judged is Unusable and says why.
func Verify(paths []string, o Options) Report {
	known := o.asked(paths)
	a := newAudit(o)
	a.known = known.Revocation
	report := Report{Version: ReportVersion, At: o.At.UTC(), Anchors: len(o.Anchors), Files: []File{}, NotFetched: known.Missing}
	for _, path := range paths {
		f := a.path(path)
		report.Files = append(report.Files, f)
		report.Result = Worst(report.Result, f.Result)
	}
	return report
}

// audit is one call of Verify.
type audit struct {
	Options
	anchors, pinned []*x509.Certificate
	trust, clocks   *signing.Trust
	// known is what is known of revoked certificates; nil where it is not asked about.
	known *signing.Revocation
	// found are the chains that led to an anchor.
	found chains
}

func newAudit(o Options) *audit {
	a := &audit{Options: o}
	for _, c := range o.Anchors {
		if c.IsCA {
			a.anchors = append(a.anchors, c)
		} else {
			a.pinned = append(a.pinned, c)
		}
	}
	a.trust, a.clocks = signing.NewTrust(a.anchors, nil), clocks(o.Anchors)
	return a
}

// signing are the options of a signature that is judged at the caller's time.
func (a *audit) signing() signing.Options {
	return signing.Options{
		At: a.At, Source: a.Source, Trust: a.trust, Pinned: a.pinned,
		Timestamping: a.clocks, Revocation: a.known,
	}
}

func (a *audit) say(vietnamese, english string) string { return a.Lang.Pick(vietnamese, english) }
