package signing

import (
	"encoding/asn1"
	"fmt"
)

// weak names the algorithms that old signatures use and that prove nothing any
// more, or less than 128 bits' worth.
func weak(oid asn1.ObjectIdentifier) (name string, ok bool) {
	switch oid.String() {
	case "1.2.840.113549.2.2":
		return "MD2", true
	case "1.2.840.113549.2.5":
		return "MD5", true
	case "1.3.14.3.2.26":
		return "SHA-1", true
	case "2.16.840.1.101.3.4.2.4":
		return "SHA-224", true
	case "1.2.840.113549.1.1.2":
		return "RSA with MD2", true
	case "1.2.840.113549.1.1.4":
		return "RSA with MD5", true
	case "1.2.840.113549.1.1.5", "1.3.14.3.2.29":
		return "RSA with SHA-1", true
	case "1.2.840.113549.1.1.14":
		return "RSA with SHA-224", true
	case "1.2.840.10045.4.1":
		return "ECDSA with SHA-1", true
	case "1.2.840.10045.4.3.1":
		return "ECDSA with SHA-224", true
	case "1.2.840.10040.4.1", "1.2.840.10040.4.3", "2.16.840.1.101.3.4.3.2":
		return "DSA", true
	}
	return "", false
}

// refusedAlgorithm says which of two things an algorithm is: weak or unknown.
func refusedAlgorithm(what string, oid asn1.ObjectIdentifier) error {
	if name, ok := weak(oid); ok {
		return fmt.Errorf("%s algorithm %s is too weak", what, name)
	}
	return fmt.Errorf("%s algorithm %v is not accepted", what, oid)
}
