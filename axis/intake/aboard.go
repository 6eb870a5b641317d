package intake

import "context"

// unstored is why chunks that came with a submission were not stored: an answer to the
// request, as to an upload, which says nothing of the envelope.
type unstored struct{ error }

func (u unstored) Unwrap() error { return u.error }

// store begins to store the chunks that came with a submission, and tells how it went
// when all of them are durable, or one is not.
func (in *Intake) store(ctx context.Context, s *submission) <-chan error {
	told := make(chan error, 1)
	if len(s.aboard) == 0 {
		told <- nil
		return told
	}
	go func() {
		err := in.content.PutAboard(ctx, s.endpoint, s.envelope.Pb.GetContents(), s.aboard)
		if err != nil {
			err = unstored{err}
		}
		told <- err
	}()
	return told
}
