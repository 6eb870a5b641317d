package signing

import (
	"crypto"
	"hash"
	"io"
)

// digests are those of the content, by the functions that its signers name.
type digests map[crypto.Hash][]byte

// digests reads the content once for all signers.
func (sd *signedData) digests(content io.Reader) (digests, error) {
	functions := map[crypto.Hash]hash.Hash{}
	for i := range sd.signers {
		if h, err := sd.signers[i].digest.hash(); err == nil && functions[h] == nil {
			functions[h] = h.New()
		}
	}
	return digestAll(functions, content)
}

func digestAll(functions map[crypto.Hash]hash.Hash, content io.Reader) (digests, error) {
	writers := make([]io.Writer, 0, len(functions))
	for _, f := range functions {
		writers = append(writers, f)
	}
	var to io.Writer = io.Discard
	switch len(writers) {
	case 0:
		return nil, nil
	case 1:
		to = writers[0]
	default:
		to = io.MultiWriter(writers...)
	}
	if _, err := io.Copy(to, content); err != nil {
		return nil, err
	}
	found := digests{}
	for h, f := range functions {
		found[h] = f.Sum(nil)
	}
	return found, nil
}
