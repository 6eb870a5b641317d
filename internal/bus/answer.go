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
	data, err := answerBytes(refusal, body)
	if err == nil && len(data) > MaxPayload {
		err = fmt.Errorf("an answer of %d bytes", len(data))
	}
	if err != nil {
		s.cfg.Log.Error("an answer cannot be sent", slog.Any("error", err))
		data, _ = answerBytes(reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "answer"), nil)
	}
	s.publish(subject, data)
}

func (s *Server) publish(subject string, answer []byte) {
	if err := s.nc.Publish(subject, answer); err != nil {
		s.cfg.Log.Warn("an answer was not sent", slog.Any("error", err))
	}
}

func answerBytes(refusal *reason.Error, body proto.Message) ([]byte, error) {
	a := new(axispb.Answer)
	if refusal != nil {
		a.Error, a.Temporary = refusal.Reason, refusal.Temporary()
		return proto.Marshal(a)
	}
	if body == nil {
		return nil, errors.New("neither an answer nor an error")
	}
	var err error
	if a.Body, err = proto.Marshal(body); err != nil {
		return nil, err
	}
	return proto.Marshal(a)
}
