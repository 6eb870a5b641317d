package axis

import (
	"context"

	operator "docaxis/axis/admin"
	"docaxis/proto/axispb"
)

// ChangeRegistry journals changes of the registry as one record, all or none, in the
// name of who asks. A *reason.Error of REGISTRY_CONFLICT says which step contradicts
// the registry; nothing was changed then.
func (h *Hub) ChangeRegistry(ctx context.Context, why operator.Why, steps ...*axispb.Change) error {
	_, err := h.intake.Change(ctx, "", change(why.Actor, why.Reason, steps...))
	return err
}
