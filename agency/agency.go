// Package agency owns the codes of agencies: the grammar of Decision
// 20/2020/QĐ-TTg, the older one of QCVN 102:2016/BTTTT, and the way from the
// older to the newer. It depends on nothing and may be used alone.
package agency

import (
	"slices"
	"strings"
)

// MaxLength is the length of the longest code, in characters (Decision
// 20/2020/QĐ-TTg, article 4).
const MaxLength = 35

// Code is the canonical text of a code: "H41.11.05" or, where an agency has none
// of Decision 20, "000.00.00.G22". Only Parse makes one that is sure to be valid.
type Code string

// Grammar says which rule a code was written by.
type Grammar int

const (
	// Unknown is the grammar of what is no code.
	Unknown Grammar = iota
	// QD20 is the form of Decision 20/2020/QĐ-TTg, article 4, in force since
	// 15 September 2020: level 1 first, "H41.11.05".
	QD20
	// QCVN102 is the form of QCVN 102:2016/BTTTT: level 1 last, "000.05.11.H41".
	QCVN102
)

// String names the grammar as people do.
func (g Grammar) String() string {
	switch g {
	case QD20:
		return "QĐ 20/2020/QĐ-TTg"
	case QCVN102:
		return "QCVN 102:2016"
	default:
		return "unknown"
	}
}

// Parse reads a code of either grammar. The short old forms that real packages
// still carry ("28.22.H17") are taken as QCVN 102 and given their missing zero
// groups. The error is a *SyntaxError, which says how to mend the text.
func Parse(s string) (Code, error) {
	if c, ok := parse(s); ok {
		return c, nil
	}
	return "", explain(s)
}

func parse(s string) (Code, bool) {
	if s == "" || len(s) > MaxLength {
		return "", false
	}
	groups := strings.Split(s, ".")
	if isDigit(s[0]) {
		return parseQCVN102(groups)
	}
	return Code(s), validQD20(groups)
}

// validQD20 leaves the width of the lower groups open: the decision does not fix
// it, and letters do occur there (H37.DN.001).
func validQD20(groups []string) bool {
	if !isTop(groups[0]) || groups[0][0] == 'Z' {
		return false
	}
	for _, g := range groups[1:] {
		if g == "" || !all(g, isDigitOrCapital) {
			return false
		}
	}
	return true
}

// parseQCVN102 takes V.Z.Y.M; leading groups may be absent, as before the form
// had its full length.
func parseQCVN102(groups []string) (Code, bool) {
	full := [4]string{"000", "00", "00", ""}
	missing := len(full) - len(groups)
	if missing < 0 {
		return "", false
	}
	for i, g := range groups {
		last := missing+i == len(full)-1
		switch {
		case last && !isTop(g):
			return "", false
		case !last && (len(g) != len(full[missing+i]) || !all(g, isDigit)):
			return "", false
		}
		full[missing+i] = g
	}
	return Code(strings.Join(full[:], ".")), true
}

// Grammar says which form the code has.
func (c Code) Grammar() Grammar {
	switch {
	case c == "":
		return Unknown
	case isDigit(c[0]):
		return QCVN102
	default:
		return QD20
	}
}

// ToQD20 writes the code in the form of Decision 20: groups in reverse, the zero
// groups at the end dropped, so 000.00.01.H27 becomes H27.01. A code that has
// that form already is returned as it is. It reports false where no such code
// can exist. What comes out is what the rule gives: provinces re-issued their
// lists, so only the registry knows whether it is the same agency.
func (c Code) ToQD20() (Code, bool) {
	if c.Grammar() != QCVN102 {
		return c, c.Grammar() == QD20
	}
	groups := strings.Split(string(c), ".")
	slices.Reverse(groups)
	for len(groups) > 1 && isZero(groups[len(groups)-1]) {
		groups = groups[:len(groups)-1]
	}
	return Code(strings.Join(groups, ".")), validQD20(groups)
}

// Parent is the code one level up as the text has it; false at level 1. The
// registry may say otherwise and then is right: a code is kept when its agency
// is put under another.
func (c Code) Parent() (Code, bool) {
	if c.Grammar() == QCVN102 {
		return c.parentQCVN102()
	}
	i := strings.LastIndexByte(string(c), '.')
	if i < 0 {
		return "", false
	}
	return c[:i], true
}

func (c Code) parentQCVN102() (Code, bool) {
	groups := strings.Split(string(c), ".")
	for i, g := range groups[:len(groups)-1] {
		if !isZero(g) {
			groups[i] = strings.Repeat("0", len(g))
			return Code(strings.Join(groups, ".")), true
		}
	}
	return "", false
}

// isTop says whether g is a group of level 1: a capital and two digits. QCVN 102
// allows every letter, Decision 20 leaves out Z.
func isTop(g string) bool {
	return len(g) == 3 && g[0] >= 'A' && g[0] <= 'Z' && isDigit(g[1]) && isDigit(g[2])
}

func isZero(g string) bool { return strings.Trim(g, "0") == "" }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isDigitOrCapital(b byte) bool { return isDigit(b) || b >= 'A' && b <= 'Z' }

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}
