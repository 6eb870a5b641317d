// Package signing owns electronic signatures: it makes CAdES-B-B and B-T
// signatures (ETSI EN 319 122-1), and judges those of others in the words of ETSI
// EN 319 102-1. It looks at nothing but its arguments: no network, no log, and no
// clock but that of Sign. Hostile input never panics and costs at most a small
// multiple of its size.
//
// # Judging
//
// Verify judges a detached signature over content at hand, VerifyReader over
// content of any size. Both give one Verdict for each signer:
//
//	verdicts, err := signing.VerifyReader(signature, file, signing.Options{
//		At:           receivedAt,     // when the signature was seen to exist
//		Trust:        authorities,    // whom to believe about signers
//		Timestamping: timeAuthorities, // whom to believe about time
//		Revocation:   known,          // what is known about revoked certificates
//	})
//
// Verdict.Passed is the answer; Indication and SubIndication say it in the words
// of the standard, Sentence to a person in Vietnamese or English, and Detail to an
// expert. What cannot be read is a verdict, too (FORMAT_FAILURE), never an error:
// an error is about the call. SubIndications lists every answer; docs/signatures.md
// says when each is given.
//
// Accepted are SHA-256, SHA-384 and SHA-512; RSA of 2048 to 4096 bits by PKCS #1
// v1.5 or PSS, and ECDSA on P-256 and P-384; signers named by issuer and serial
// number or by subject key identifier; DER and BER. What is weak (MD5, SHA-1, RSA
// under 2048 bits, no signed attributes) never passes, and Detail names it.
//
// # Time
//
// A signature is judged at the earliest time at which it is proven to have
// existed: that of a time-stamp in it that passes, or Options.At, whichever is
// earlier. Verdict.TimeSource says which. The signer's own claim
// (Verdict.ClaimedTime) proves nothing and is used for nothing.
//
// # Trust
//
// A Trust holds anchors and intermediates (NewTrust, LoadTrust) and remembers the
// chains that it found: make one and keep it. A signer may also be trusted by
// itself (Options.Pinned). Without either nobody is trusted, not even by the
// machine's own anchors.
//
// Revocation holds lists and answers that somebody else fetched (ParseCRL,
// ParseOCSP). Where it is given, every certificate of the chain needs a usable
// status; a missing one is TRY_LATER.
//
// # Making
//
// Sign makes a signature with a key and its certificates, which LoadKey reads from
// files; any crypto.Signer does, also one in hardware. AddTimestamp adds a
// time-stamp to any signature, stored ones of others included, without touching
// what was signed; TimestampRequest and ReadTimestampResponse are the two sides of
// the conversation with an authority, and VerifyTimestamp judges what it gave.
package signing
