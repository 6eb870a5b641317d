package evidence

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// decode parses a message of a known version: a member that this version does
// not have is refused, so that nothing signed can mean more to one reader than
// to another.
func decode(what string, b []byte, limit int, m proto.Message) error {
	if err := decodeLax(what, b, limit, m); err != nil {
		return err
	}
	if hasUnknown(m.ProtoReflect()) {
		return fmt.Errorf("%s has a member that its version does not know", what)
	}
	return nil
}

func decodeLax(what string, b []byte, limit int, m proto.Message) error {
	if len(b) > limit {
		return fmt.Errorf("%s has %d bytes, over the limit of %d", what, len(b), limit)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("%s cannot be parsed: %w", what, err)
	}
	return nil
}

// hasUnknown looks into nested messages too. Its depth is that of the schema:
// no message here contains itself.
func hasUnknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case found || f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				found = found || hasUnknown(v.List().Get(i).Message())
			}
		default:
			found = hasUnknown(v.Message())
		}
		return !found
	})
	return found
}
