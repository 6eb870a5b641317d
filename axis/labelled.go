package axis

import (
	"context"
	"slices"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	"docaxis/internal/admin"
	"docaxis/internal/lang"
	"docaxis/proto/axispb"
)

// labelsOf tells what is known of the files of an accepted document; nil where they
// were not looked at yet. That the labels cannot be read harms no story.
func (h *Hub) labelsOf(ctx context.Context, s ledger.Story) *operator.Labels {
	known, err := h.labels.store.Get(ctx, s.Commitment)
	if err != nil {
		h.log.Warn("the labels of a document cannot be read", "error", err)
	}
	if known.GetLooks() == 0 {
		return nil
	}
	return &operator.Labels{LookedMS: known.LookedMs, AgainMS: known.AgainMs, Files: admin.FileLabels(known.Files)}
}

// signatures says how the looking at files stands.
func (h *Hub) signatures(ctx context.Context) *operator.Signatures {
	known := h.labels.judge.Status()
	out := &operator.Signatures{Anchors: known.Anchors, Asks: known.Asks, Troubles: known.Revocation.InTrouble}
	out.PolicyWithoutAnchors = known.Anchors == 0 && slices.ContainsFunc(h.registry.Policies(), func(p registry.PolicyWord) bool {
		return p.SentFiles == axispb.FilePolicy_FILE_POLICY_SIGNED
	})
	for _, a := range known.Revocation.Unreachable {
		out.Unreachable = append(out.Unreachable, operator.Authority{
			Host: a.Host, SinceMS: a.Since.UnixMilli(), NextMS: a.Next.UnixMilli(),
			Why: lang.Say(a.Err, lang.English), WhyVI: lang.Say(a.Err, lang.Vietnamese),
		})
	}
	s := h.labels.labeller.Status(ctx)
	out.Backlog, out.Again = s.Backlog, s.Again
	if s.Trouble != nil {
		out.Trouble, out.TroubleVI = lang.Say(s.Trouble, lang.English), lang.Say(s.Trouble, lang.Vietnamese)
		out.TroubleMS = s.Since.UnixMilli()
	}
	return out
}
