// Package xmldsig owns the signatures of XML files: it finds each of them, says what
// it covers, and judges it in the words of ETSI EN 319 102-1 (XML-DSig 1.1: W3C
// Recommendation of 11 April 2013; XAdES: ETSI EN 319 132-1 as far as it binds the
// signer's certificate).
//
// The file is read strictly, as XML 1.0 with namespaces and without a DTD, by a reader
// of this package: what one program would read otherwise than another is refused. A
// reference is to the file itself; no address is asked, and no expression or program
// of a signature is run.
//
// A signature passes only where it covers the whole document: whatever reads the file
// afterwards, wherever it looks, then reads what was signed. One that covers a part is
// INDETERMINATE and says which part.
//
// It looks at nothing but its arguments: no clock, no log, no network. The work asked
// for is bounded by the size of the file.
package xmldsig
