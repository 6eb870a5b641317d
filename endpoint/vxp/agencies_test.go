package vxp_test

import (
	"testing"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
)

// lookUp gives the entry of a code.
func lookUp(a vxptest.Answer, code string) map[string]string {
	for _, e := range a.List {
		if e["code"] == code {
			return e
		}
	}
	return nil
}

// TestUnitIDs: a copy of the directory that somebody keeps must not be given other ids
// by the next version.
func TestUnitIDs(t *testing.T) {
	f := newFake(vxptest.IDs{})
	f.agencies = append(f.agencies, vxp.Agency{Code: "H41.11.05", Code102: "000.05.11.H41", Parent: "000.00.00.X90", Name: "Đơn vị", Version: 3})
	address := serve(t, f, vxp.Options{})
	a := ask(t, address, "getAgenciesList", fromA(), "")
	e := lookUp(a, "H41.11.05")
	if e["id"] != "3609504606868519" || e["pid"] != lookUp(a, "000.00.00.X90")["id"] || e["oldCode"] != "000.05.11.H41" {
		t.Error(e)
	}
	if top := lookUp(a, "000.00.00.X90"); top["pid"] != "" || top["oldCode"] != "" {
		t.Error(top)
	}
	if e := lookUp(ask(t, address, "getAgenciesListQD20", fromA(), ""), "H41.11.05"); e["code102"] != "000.05.11.H41" {
		t.Error(e)
	}
	e = lookUp(ask(t, address, "getSynchronizeUnit", fromA(), ""), "H41.11.05")
	if _, dated := e["modifyDate"]; dated || e["version"] != "3" || e["centerCode"] != "" || e["deleted"] != "false" || e["isAgency"] != "true" {
		t.Error(e)
	}
}

func TestClosedAgenciesAreOnlyInTheDirectoryToCopy(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	const code = "001.00.01.X92"
	wantCode(t, ask(t, address, "deleteAgency", fromB(p{"AgencyCode", code}), "{}"), "0")
	for op, listed := range map[string]bool{"getAgenciesList": false, "getAgenciesListQD20": false, "getSynchronizeUnit": true} {
		e := lookUp(ask(t, address, op, fromA(), ""), code)
		if (e != nil) != listed || listed && e["deleted"] != "true" {
			t.Errorf("%s: %v", op, e)
		}
	}
	wantCode(t, ask(t, address, "deleteAgency", fromB(), "{}"), "400")
	wantCode(t, ask(t, address, "deleteAgency", fromB(p{"AgencyCode", "khong-co"}), "{}"), "404")
}

func TestRegisterAgencyReadsWhatProgramsWrite(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{})
	for body, code := range map[string]string{
		`{"id":"","pcode":"000.00.00.X91","code":"000.00.09.X91","name":"Đơn vị","mail":"a@b","mobile":"0","fax":"1"}`: "0",
		"\ufeff{}": "400",
		`{"id":null,"pcode":"000.00.00.X91","code":"000.00.09.X91","name":"Đơn vị","mobile":123,"x":{"y":[]}}` + "\n": "0",
		`{"id":"", pcode: 000.00.00.X91}`:                       "400",
		`{"code":"000.00.09.X91","pcode":"000.00.00.X91"} thừa`: "400",
		`["code"]`:                  "400",
		`null`:                      "400",
		``:                          "400",
		`{"pcode":"000.00.00.X91"}`: "400",
		`{"Code":"000.00.09.X91"}`:  "400",
		`{"code":"000.00.09.X90","pcode":"000.00.00.X90"}`: "403",
	} {
		wantCode(t, ask(t, address, "registerAgency", fromB(), body), code)
	}
	a := f.agencies[len(f.agencies)-1]
	if a.Code != "000.00.09.X91" || a.Name != "Đơn vị" || a.Phone == "" {
		t.Errorf("%+v", a)
	}
}

// heldUp wants an operator to approve everything.
type heldUp struct{ *fake }

func TestWhatAnOperatorMustApproveSaysSo(t *testing.T) {
	address := serve(t, heldUp{newFake(vxptest.IDs{})}, vxp.Options{})
	wantText(t, ask(t, address, "deleteAgency", fromB(p{"AgencyCode", "x"}), "{}"), "duyệt")
	wantText(t, ask(t, address, "registerAgency", fromB(), `{"code":"x"}`), "duyệt")
}
