package edxml

// Limits bound what Open and reading contents take, whatever is sent. The zero value
// of a field means its default.
type Limits struct {
	// Size of the package in bytes; 1 GiB.
	Size int64
	// Head is everything but the encoded contents, in bytes; 16 MiB, room for a
	// document to every commune.
	Head int64
	// Elements in the head; 250,000.
	Elements int
	// Depth of nesting; 32.
	Depth int
	// Field is the longest text, attribute included, in bytes; 64 KiB. The lengths of
	// the standard are Check's.
	Field int
	// Attachments in one package; 1,000.
	Attachments int
	// Content is the longest content once decoded and unpacked, in bytes; 1 GiB.
	Content int64
	// Ratio is how many times larger than packed an unpacked content may be once it
	// exceeds 10 MiB; 200.
	Ratio int64
	// Lenient keeps in Package.Refused what Open otherwise refuses and a caller
	// that only looks can live with: attachments that the manifest does not name,
	// repeated ids, names that leave their folder. It never admits a DOCTYPE, what
	// is not well-formed, or what exceeds a limit.
	Lenient bool
}

// ratioFrom is the size from which Ratio counts: a short text may be nothing but
// blanks.
const ratioFrom = 10 << 20

func (l Limits) withDefaults() Limits {
	orDefault(&l.Size, 1<<30)
	orDefault(&l.Head, 16<<20)
	orDefault(&l.Elements, 250_000)
	orDefault(&l.Depth, 32)
	orDefault(&l.Field, 64<<10)
	orDefault(&l.Attachments, 1000)
	orDefault(&l.Content, 1<<30)
	orDefault(&l.Ratio, 200)
	return l
}

func orDefault[T int | int64](p *T, value T) {
	if *p <= 0 {
		*p = value
	}
}
