// Package revocation owns what is known about revoked certificates: it fetches
// lists (CRL, RFC 5280) and answers (OCSP, RFC 6960) from the addresses that
// certificates name, keeps them in a folder, and refreshes them before they end.
//
// Nothing that is on the way of a document waits for it: Data reads what is on
// the disk, Want leaves a note, and Run does the rest in the background. An
// authority that cannot be reached costs nobody anything but a newer answer.
//
//	store, err := revocation.Open(dir, revocation.Config{})
//	go store.Run(ctx)
//	store.Want(chain)            // look after these from now on
//	known := store.Data(chain)   // what is known by now
//
// Addresses in certificates are hostile: see Network. What comes from them is
// checked before it is kept, and judged again by whoever uses it (package
// signing); nobody has to trust the folder.
//
// Named as unsupported in errors: addresses that are not http or https, delta
// lists, indirect lists and lists by a delegated issuer, lists for some reasons or
// for attribute certificates only, version 1 lists, and answers that carry other
// certificates before their responder's. Requests carry no nonce:
// what is kept is to be used again, and an old answer is refused by its times.
package revocation
