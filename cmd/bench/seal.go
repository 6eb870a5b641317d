package main

// sealFile is where a member's folder has its seal.
const sealFile = "seal.pem"

// sealMaker writes an agency's seal, key and certificate, into a PEM file and gives the
// certificate, DER.
type sealMaker func(path, code string) ([]byte, error)
