package vxp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// agencyEntry is an entry of getAgenciesList.
type agencyEntry struct {
	ID      string `json:"id"`
	PID     string `json:"pid"`
	Code    string `json:"code"`
	Name    string `json:"name"`
	Mail    string `json:"mail"`
	OldCode string `json:"oldCode"`
}

// qd20Entry is an entry of getAgenciesListQD20.
type qd20Entry struct {
	ID      string `json:"id"`
	Code    string `json:"code"`
	Name    string `json:"name"`
	Mail    string `json:"mail"`
	Code102 string `json:"code102"`
}

// unitEntry is an entry of getSynchronizeUnit.
type unitEntry struct {
	ID         string `json:"id"`
	PID        string `json:"pid"`
	Code       string `json:"code"`
	Name       string `json:"name"`
	Mail       string `json:"mail"`
	Version    int    `json:"version"`
	CenterCode string `json:"centerCode"`
	Deleted    bool   `json:"deleted"`
	ModifyDate string `json:"modifyDate,omitempty"`
	IsAgency   bool   `json:"isAgency"`
}

// unitID is a number that stays with a code for ever and needs no table: the first 52
// bits of its SHA-256, which any database and any JSON reader holds exactly. Two codes
// of a directory of 100 000 meet with a chance of one in a million.
func unitID(code string) string {
	if code == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(code))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:8])>>12, 10)
}

// open gives those agencies that are not closed.
func (h *handler) open(c *call) ([]Agency, error) {
	all, err := h.exchange.Agencies(c.r.Context(), c.system)
	var open []Agency
	for _, a := range all {
		if !a.Closed {
			open = append(open, a)
		}
	}
	return open, err
}

func (h *handler) agencies(c *call) error {
	open, err := h.open(c)
	if err != nil {
		return err
	}
	entries := []agencyEntry{}
	for _, a := range open {
		e := agencyEntry{ID: unitID(a.Code), PID: unitID(a.Parent), Code: a.Code, Name: a.Name, Mail: a.Mail}
		if a.Code102 != a.Code {
			e.OldCode = a.Code102
		}
		entries = append(entries, e)
	}
	return h.list(c, entries)
}

// agenciesQD20 gives both codes. level is not read: nothing says what it means.
func (h *handler) agenciesQD20(c *call) error {
	open, err := h.open(c)
	if err != nil {
		return err
	}
	entries := []qd20Entry{}
	for _, a := range open {
		entries = append(entries, qd20Entry{ID: unitID(a.Code), Code: a.Code, Name: a.Name, Mail: a.Mail, Code102: a.Code102})
	}
	return h.list(c, entries)
}

// units is the directory for those who keep a copy: closed agencies too.
func (h *handler) units(c *call) error {
	all, err := h.exchange.Agencies(c.r.Context(), c.system)
	if err != nil {
		return err
	}
	entries := []unitEntry{}
	for _, a := range all {
		entries = append(entries, unitEntry{
			ID: unitID(a.Code), PID: unitID(a.Parent), Code: a.Code, Name: a.Name, Mail: a.Mail,
			Version: a.Version, CenterCode: a.System, Deleted: a.Closed, ModifyDate: moment(a.Changed), IsAgency: true,
		})
	}
	return h.list(c, entries)
}

// register reads the JSON that the calling program wrote by itself; the SDK does not
// look at it. id is not read: the code says which agency is meant.
func (h *handler) register(c *call) error {
	raw, err := c.body.small()
	if err != nil {
		return err
	}
	members, err := textMembers(raw)
	if err != nil {
		return refuse(400, "Thân yêu cầu không phải JSON có các mục code, pcode, name, mail, mobile, fax. Hãy kiểm tra dấu nháy và dấu phẩy.",
			"The body is no JSON with code, pcode, name, mail, mobile and fax. Check its quotes and commas.")
	}
	a := Registration{
		Code: members["code"], Parent: members["pcode"], Name: members["name"],
		Mail: members["mail"], Phone: members["mobile"], Fax: members["fax"],
	}
	if a.Code == "" {
		return refuse(400, "Thiếu mục code, mã của cơ quan.", "The member code, the agency's code, is missing.")
	}
	// Who hangs up now must not leave half of it undone.
	held, err := h.exchange.Register(context.WithoutCancel(c.r.Context()), c.system, a)
	if err != nil {
		return err
	}
	return h.settled(c, held)
}

// deleteAgency closes one of the system's.
func (h *handler) deleteAgency(c *call) error {
	code := c.params["AgencyCode"]
	if code == "" {
		return refuse(400, "Thiếu tham số AgencyCode.", "The parameter AgencyCode is missing.")
	}
	held, err := h.exchange.Close(context.WithoutCancel(c.r.Context()), c.system, code)
	if err != nil {
		return err
	}
	return h.settled(c, held)
}

func (h *handler) settled(c *call, held bool) error {
	a := success(h.Language)
	if held {
		a.ErrorDesc = h.Language.Pick("Đã ghi nhận; thay đổi có hiệu lực khi người quản trị trục duyệt. Không cần gửi lại.",
			"Recorded; the change holds once the operator of the axis approves it. Do not send it again.")
	}
	return c.say(a)
}

var errMembers = errors.New("not an object of texts")

// textMembers reads an object whose members are texts, numbers or null.
func textMembers(raw []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil || object == nil {
		return nil, errMembers
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errMembers
	}
	members := map[string]string{}
	for name, value := range object {
		switch v := value.(type) {
		case string:
			members[name] = v
		case json.Number:
			members[name] = v.String()
		}
	}
	return members, nil
}
