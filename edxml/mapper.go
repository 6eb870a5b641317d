package edxml

// mapper walks the fields of a type once for both directions: with in it reads them
// out of a node, with out it writes them into one. The order of the calls is the
// order in which the field's writers write.
type mapper struct {
	in, out *node
	notes   *notes
	last    int  // position of the field before
	jumbled bool // the order was reported
}

// take gives the children of a name that have not been used.
func (m *mapper) take(name string, leaf bool) []*node {
	var found []*node
	for i, k := range m.in.kids {
		if k.name != name || k.space != "" || k.used || leaf && len(k.kids) > 0 {
			continue
		}
		if len(found) == 0 {
			m.order(k, i)
		}
		found = append(found, k)
	}
	return found
}

func (m *mapper) order(k *node, i int) {
	if i < m.last && !m.jumbled {
		m.jumbled = true
		m.notes.add(ElementOrder, k.path, k.name)
	}
	m.last = max(m.last, i)
}

// field is a text that occurs at most once.
func field[T ~string](m *mapper, name string, p *T) {
	if m.out != nil {
		if *p != "" {
			m.out.add(name).text = string(*p)
		}
		return
	}
	for i, k := range m.take(name, true) {
		if i > 0 {
			m.notes.add(RepeatedElement, k.path, k.text)
			continue
		}
		m.leaf(k)
		*p = T(k.text)
		m.judge(k, any(*p))
	}
}

func (m *mapper) leaf(k *node) {
	k.used = true
	m.attributes(k)
	if k.text == "" {
		m.notes.add(EmptyElement, k.path, "")
	}
}

// judge reports a value that is understood though it is not in its form.
func (m *mapper) judge(k *node, v any) {
	if d, ok := v.(interface{ deviation() (ToleranceKind, bool) }); ok && k.text != "" {
		if kind, found := d.deviation(); found {
			m.notes.add(kind, k.path, k.text)
		}
	}
}

func (m *mapper) attributes(k *node) {
	for _, a := range k.attrs {
		if a.Name != "version" || k.name != "edXMLManifest" {
			m.notes.add(UnknownAttribute, k.path, a.Name)
		}
	}
}

// texts is a text that occurs any number of times.
func texts[T ~string](m *mapper, name string, p *[]T) {
	if m.out != nil {
		for _, t := range *p {
			m.out.add(name).text = string(t)
		}
		return
	}
	for _, k := range m.take(name, true) {
		m.leaf(k)
		if k.text != "" {
			*p = append(*p, T(k.text))
			m.judge(k, any(T(k.text)))
		}
	}
}

// group is an element of elements that occurs at most once; it is written only where
// something is in it.
func (m *mapper) group(name string, fields func(*mapper)) {
	if m.out != nil {
		n := &node{name: name, plain: m.out.plain, parent: m.out}
		fields(&mapper{out: n})
		if len(n.kids) > 0 {
			m.out.kids = append(m.out.kids, n)
		}
		return
	}
	for i, k := range m.take(name, false) {
		if i > 0 {
			m.notes.add(RepeatedElement, k.path, "")
			continue
		}
		k.used = true
		fields(&mapper{in: k, notes: m.notes})
		m.attributes(k)
	}
}

// list is an element of elements that occurs any number of times.
func list[T any](m *mapper, name string, p *[]T, fields func(*T, *mapper)) {
	if m.out != nil {
		for i := range *p {
			fields(&(*p)[i], &mapper{out: m.out.add(name)})
		}
		return
	}
	for _, k := range m.take(name, false) {
		k.used = true
		var one T
		fields(&one, &mapper{in: k, notes: m.notes})
		m.attributes(k)
		*p = append(*p, one)
	}
}

// extra keeps what no field took. It comes last.
func (m *mapper) extra(p *[]Element) {
	if m.out != nil {
		for _, e := range *p {
			m.out.kids = append(m.out.kids, e.node(m.out))
		}
		return
	}
	for _, k := range m.in.kids {
		if !k.used {
			m.notes.add(UnknownElement, k.path, k.name)
			*p = append(*p, k.element())
		}
	}
}

func (n *node) add(name string) *node {
	k := &node{name: name, plain: n.plain, parent: n}
	n.kids = append(n.kids, k)
	return k
}

// Element is one that has no field: it is kept, and written back behind the fields
// of the element around it.
type Element struct {
	// Space is empty for edXML's own namespace.
	Space, Name string
	Attrs       []Attr
	// Text without the blanks around it. Text between children is joined.
	Text     string
	Children []Element
}

func (n *node) element() Element {
	e := Element{Space: n.space, Name: n.name, Attrs: n.attrs, Text: n.text}
	for _, k := range n.kids {
		e.Children = append(e.Children, k.element())
	}
	return e
}

func (e Element) node(parent *node) *node {
	n := &node{name: e.Name, space: e.Space, attrs: e.Attrs, text: e.Text, parent: parent, plain: parent.plain}
	for _, c := range e.Children {
		n.kids = append(n.kids, c.node(n))
	}
	return n
}
