// Package edxml owns the packages that document-management systems exchange on the
// national axis: the edXML of QCVN 102:2016/BTTTT with Sửa đổi 1:2022. It reads what
// is really sent and names every deviation it forgave, writes what strict readers
// expect, and judges packages for the announcement of conformity. It may be used
// alone.
//
// Open reads everything but the contents, which an Attachment streams; memory does
// not grow with the size of a package. WriteDocument and WriteStatus compose one.
// Check judges one. The bytes that came are the document: store and hand on those,
// and compose anew only what is new.
//
// Texts stand in the types as they were found, without the blanks around them; dates,
// numbers and codes have methods that read them leniently. Document ids are opaque
// and compared exactly. Times without a zone are Viet Nam's.
package edxml

// Namespace of QCVN 102:2016/BTTTT. It is a name, not an address.
const Namespace = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

// Prefix that every element of the envelope is written with: consumers in the field
// look elements up by the literal name "edXML:StatusCode".
const Prefix = "edXML"
