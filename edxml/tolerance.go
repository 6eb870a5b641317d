package edxml

// ToleranceKind names one deviation that Open forgives. It is also the id of the rule
// that Check reports it under.
type ToleranceKind string

// The tolerances. Rules says what each means and how a writer mends it.
const (
	ByteOrderMark          ToleranceKind = "byte-order-mark"
	SeveralMarks           ToleranceKind = "several-byte-order-marks"
	BlankBeforeDeclaration ToleranceKind = "blank-before-declaration"
	UTF16                  ToleranceKind = "utf-16"
	RootName               ToleranceKind = "root-name"
	SOAPEnvelope           ToleranceKind = "soap-envelope"
	OtherNamespace         ToleranceKind = "other-namespace"
	NoNamespace            ToleranceKind = "no-namespace"
	OtherPrefix            ToleranceKind = "other-prefix"
	UnboundPrefix          ToleranceKind = "unbound-prefix"
	ManifestName           ToleranceKind = "manifest-name"
	BusinessSpelling       ToleranceKind = "business-spelling"
	ElementOrder           ToleranceKind = "element-order"
	EmptyElement           ToleranceKind = "empty-element"
	RepeatedElement        ToleranceKind = "repeated-element"
	UnknownElement         ToleranceKind = "unknown-element"
	UnknownAttribute       ToleranceKind = "unknown-attribute"
	BlanksAround           ToleranceKind = "blanks-around"
	UnlikeDate             ToleranceKind = "date-form"
	MissingCID             ToleranceKind = "cid-missing"
	DoubledCID             ToleranceKind = "cid-doubled"
	EmptyAttachment        ToleranceKind = "empty-attachment"
	NotNamedZip            ToleranceKind = "packed-without-saying"
	ZipThatIsNone          ToleranceKind = "zip-that-is-none"
	ZipInCapitals          ToleranceKind = "zip-in-capitals"
	PathInName             ToleranceKind = "path-in-name"
	WrappedBase64          ToleranceKind = "wrapped-base64"
	MissingPadding         ToleranceKind = "base64-padding-missing"
	MarkedContent          ToleranceKind = "content-in-cdata"
	OldCode                ToleranceKind = "old-short-code"
	Decomposed             ToleranceKind = "text-not-nfc"
)

// Tolerance is one deviation that was forgiven.
type Tolerance struct {
	// Path of the element, as edXML/edXMLEnvelope/edXMLHeader/MessageHeader/To[2];
	// the first one where the same goes for many.
	Path string
	Kind ToleranceKind
	// Found is what stood there, shortened; it may be empty.
	Found string
	// Count is how often: some tolerances go for a whole package, and of others
	// only the first hundred are listed one by one.
	Count int
}

// listed is how many of one kind are listed one by one: a hostile package is not to
// cost a multiple of its size.
const listed = 100

// notes gathers tolerances.
type notes struct {
	list  []Tolerance
	kinds map[ToleranceKind]int // how many of a kind are in list
}

// wholesale kinds are listed once.
var wholesale = map[ToleranceKind]bool{
	OtherNamespace: true, NoNamespace: true, OtherPrefix: true, UnboundPrefix: true,
}

func (n *notes) add(kind ToleranceKind, path func() string, found string) {
	if n.kinds == nil {
		n.kinds = make(map[ToleranceKind]int)
	}
	most := listed
	if wholesale[kind] {
		most = 1
	}
	if n.kinds[kind] >= most {
		n.last(kind).Count++
		return
	}
	n.kinds[kind]++
	n.list = append(n.list, Tolerance{Path: path(), Kind: kind, Found: shorten(found), Count: 1})
}

func (n *notes) last(kind ToleranceKind) *Tolerance {
	for i := len(n.list) - 1; ; i-- {
		if n.list[i].Kind == kind {
			return &n.list[i]
		}
	}
}
