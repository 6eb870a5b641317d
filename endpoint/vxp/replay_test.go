package vxp_test

import (
	"testing"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
)

type fakeWorld string

func (w fakeWorld) Address(string) string { return string(w) }

func (fakeWorld) Settle(*testing.T) {}

func (fakeWorld) Notices() bool { return false }

func TestRecordedExchangesAreAnsweredByTheRules(t *testing.T) {
	vxptest.Replay(t, func(t *testing.T, ids vxptest.IDs) vxptest.World {
		return fakeWorld(serve(t, newFake(ids), vxp.Options{}))
	})
}
