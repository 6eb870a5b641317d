package evidence

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"docaxis/proto/axispb"
)

// Limits of a statement's parts. Who signs shortens what people wrote to them.
const (
	// MaxReasonArgs is the number of arguments of a reason.
	MaxReasonArgs = 8
	// MaxReasonArg is the size of one argument, in bytes of UTF-8.
	MaxReasonArg = 2 << 10

	maxName = 40
	maxText = 128
	// maxTimeMS is the end of the year 9999, the last that X.509 can say.
	maxTimeMS = 253402300799999
)

// checkStatement holds a statement to the rules of proto/evidence.proto. The
// same rules bind who signs and who checks.
func checkStatement(s *axispb.Statement) error {
	return errors.Join(
		checkIssuer(s),
		checkReason(s),
		checkSubject(s),
		checkSeen(s),
		checkExtras(s),
	)
}

func checkIssuer(s *axispb.Statement) error {
	axis := s.Issuer == AxisIssuer
	switch {
	case s.Version != 1:
		return fmt.Errorf("statement of unknown version %d", s.Version)
	case EventName(s.Event) == "":
		return fmt.Errorf("statement of unknown event %d", s.Event)
	case !validName(s.Issuer):
		return fmt.Errorf("issuer %q is no name of an endpoint", clip(s.Issuer))
	case !statedBy(s.Event, axis):
		return fmt.Errorf("%s is not for %s to state", EventName(s.Event), s.Issuer)
	case axis != (s.Counter == 0):
		return fmt.Errorf("counter is %d: endpoints count from 1, the axis has 0", s.Counter)
	case s.Counter > math.MaxInt64:
		return fmt.Errorf("counter %d is out of range", s.Counter)
	case s.TimeMs <= 0 || s.TimeMs > maxTimeMS:
		return fmt.Errorf("time %d is out of range", s.TimeMs)
	}
	return nil
}

func checkReason(s *axispb.Statement) error {
	switch r := s.Reason; {
	case r == nil && IsNegative(s.Event):
		return fmt.Errorf("%s without a reason", EventName(s.Event))
	case r == nil:
		return nil
	case s.Event == axispb.Event_EVENT_CONTENT_CONSIGNMENT, s.Event == axispb.Event_EVENT_CONTENT_HANDOVER:
		return fmt.Errorf("%s with a reason", EventName(s.Event))
	case r.Code <= axispb.ReasonCode_REASON_UNSPECIFIED:
		return errors.New("reason without a code")
	case len(r.Args) > MaxReasonArgs:
		return fmt.Errorf("reason with %d arguments, over the limit of %d", len(r.Args), MaxReasonArgs)
	default:
		return checkArgs(r.Args)
	}
}

func checkArgs(args []string) error {
	for i, a := range args {
		if len(a) > MaxReasonArg {
			return fmt.Errorf("argument %d of the reason has %d bytes, over the limit of %d", i, len(a), MaxReasonArg)
		}
	}
	return nil
}

// checkSubject holds the statement to say which document it is about.
func checkSubject(s *axispb.Statement) error {
	for _, v := range []string{s.Sender, s.EnvelopeId, s.Code} {
		if !validText(v) {
			return fmt.Errorf("sender, id or code %q is too long or has control characters", clip(v))
		}
	}
	if s.Event == axispb.Event_EVENT_SUBMISSION_REJECTION {
		return checkRefused(s)
	}
	switch {
	case s.Document == nil || s.Document.Epoch == 0 || s.Document.LeafIndex >= MaxTreeSize:
		return errors.New("statement does not name the document's record")
	case len(s.Commitment) != 32:
		return fmt.Errorf("commitment has %d bytes, not 32", len(s.Commitment))
	case len(s.ManifestDigest) != 32:
		return fmt.Errorf("digest of the manifest has %d bytes, not 32", len(s.ManifestDigest))
	case s.Sender == "" || s.EnvelopeId == "":
		return errors.New("statement does not name the document's sender and id")
	case s.Code == "":
		return errors.New("statement does not name the recipient's code")
	case len(s.EnvelopeDigest) != 0:
		return errors.New("digest of an envelope is for SubmissionRejection alone")
	}
	return nil
}

// checkRefused: what was refused has no record, and may have been so broken that
// it had no sender, id or manifest either; its bytes it always had.
func checkRefused(s *axispb.Statement) error {
	switch {
	case s.Document != nil || len(s.Commitment) != 0 || s.Code != "":
		return errors.New("SubmissionRejection names a record, commitment or code: what was refused has none")
	case len(s.ManifestDigest) != 0 && len(s.ManifestDigest) != 32:
		return fmt.Errorf("digest of the manifest has %d bytes, not 32", len(s.ManifestDigest))
	case len(s.EnvelopeDigest) != 32:
		return fmt.Errorf("digest of the envelope has %d bytes, not 32", len(s.EnvelopeDigest))
	}
	return nil
}

// checkSeen: an endpoint is a witness of the log, the axis cannot be its own.
func checkSeen(s *axispb.Statement) error {
	c := s.Checkpoint
	if s.Issuer == AxisIssuer {
		if c != nil {
			return errors.New("a statement of the axis names no checkpoint")
		}
		return nil
	}
	if c == nil {
		return errors.New("statement without the checkpoint that its issuer had verified")
	}
	if _, err := RefCheckpoint(c); err != nil {
		return err
	}
	if c.Size == 0 {
		return errors.New("the checkpoint that the issuer had verified is of the empty log")
	}
	if c.Epoch == s.Document.GetEpoch() && c.Size <= s.Document.GetLeafIndex() {
		return errors.New("the checkpoint that the issuer had verified does not reach the document")
	}
	return nil
}

func checkExtras(s *axispb.Statement) error {
	switch {
	case s.Event != axispb.Event_EVENT_BUSINESS_STATE && s.BusinessState != "":
		return errors.New("business state is for BusinessState alone")
	case s.Event == axispb.Event_EVENT_BUSINESS_STATE && s.BusinessState != "01" && s.BusinessState != "15":
		return fmt.Errorf("business state %q is not one that an endpoint makes (01, 15)", clip(s.BusinessState))
	case s.ConfirmedUnread && s.Event != axispb.Event_EVENT_CONTENT_HANDOVER:
		return errors.New("confirmed unread is for ContentHandover alone")
	}
	return nil
}

// validName holds to the form of an endpoint's name in proto/registry.proto.
func validName(s string) bool {
	ok := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' }
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0
}

func validText(s string) bool {
	return len(s) <= maxText && strings.IndexFunc(s, unicode.IsControl) < 0
}

// clip keeps an error's text short whatever the other side sent.
func clip(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "…"
	}
	return s
}
