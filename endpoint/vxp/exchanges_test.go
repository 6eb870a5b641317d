package vxp_test

import (
	"context"
	"io"

	"docaxis/endpoint/vxp"
)

// careless takes packages without looking at their hash.
type careless struct{ *fake }

func (careless) Send(_ context.Context, _ string, p vxp.Package) (vxp.Sent, error) {
	_, err := io.Copy(io.Discard, p.Body)
	return vxp.Sent{DocID: uuid(1)}, err
}

func (heldUp) Register(context.Context, string, vxp.Registration) (bool, error) { return true, nil }

func (heldUp) Close(context.Context, string, string) (bool, error) { return true, nil }
