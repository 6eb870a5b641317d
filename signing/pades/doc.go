// Package pades owns the signatures of PDF files: it finds each of them, says what
// it covers and what was changed afterwards, and judges it in the words of ETSI EN
// 319 102-1 (PAdES, ETSI EN 319 142-1).
//
// The file is read as ISO 32000-1 has it, from its cross-references: tables, streams,
// hybrids, object streams and every revision. Signatures are taken from the form's
// fields, never found by their look. The reader repairs nothing. Where another
// program would guess, two programs would guess differently, and the signer did
// not sign a guess; such a file is Unreadable.
//
// It looks at nothing but its arguments: no clock, no network. A file of any size is
// read in pieces; hostile ones cost a small multiple of their size.
package pades
