package bus

import (
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// refusal is what the asker is told of an error; the causes stay in the log.
func (s *Server) refusal(service Service, endpoint string, err error) *reason.Error {
	if err == nil {
		return nil
	}
	log := s.cfg.Log.With(slog.String("service", string(service)), slog.String("endpoint", endpoint))
	var r *reason.Error
	if !errors.As(err, &r) {
		log.Error("a request failed", slog.Any("error", err))
		return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, string(service))
	}
	if r.Unwrap() != nil {
		log.Info("a request was refused", slog.Any("error", err))
	}
	return r
}

func (s *Server) reply(subject string, refusal *reason.Error, body proto.Message) {
	data, back, err := s.answer(refusal, body)
	defer back()
	if err == nil && len(data) > MaxPayload {
		err = fmt.Errorf("an answer of %d bytes", len(data))
	}
	if err != nil {
		s.cfg.Log.Error("an answer cannot be sent", slog.Any("error", err))
		data, _ = refusalBytes(reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "answer"))
	}
	s.publish(subject, data)
}

// answer writes what an endpoint is answered; back is called once that was published.
func (s *Server) answer(refusal *reason.Error, body proto.Message) (data []byte, back func(), err error) {
	switch {
	case refusal != nil:
		data, err = refusalBytes(refusal)
	case body == nil:
		err = errors.New("neither an answer nor an error")
	default:
		return s.buffers.answer(body)
	}
	return data, func() {}, err
}

func (s *Server) publish(subject string, answer []byte) {
	if err := s.nc.Publish(subject, answer); err != nil {
		s.cfg.Log.Warn("an answer was not sent", slog.Any("error", err))
	}
}

func refusalBytes(refusal *reason.Error) ([]byte, error) {
	return proto.Marshal(&axispb.Answer{Error: refusal.Reason, Temporary: refusal.Temporary()})
}
