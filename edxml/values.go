package edxml

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"docaxis/agency"
)

// Date is yyyy/MM/dd in Viet Nam time, as it was written.
type Date string

// Timestamp is yyyy/MM/dd HH:mm:ss in Viet Nam time, as it was written.
type Timestamp string

const (
	dateLayout = "2006/01/02"
	timeLayout = "2006/01/02 15:04:05"
)

// ErrNoTime is what a text that is no date, or no time, gives. The caller shows the
// text as it is.
var ErrNoTime = errors.New("edxml: no date as yyyy/MM/dd")

// VietNam is the zone of every time without one: UTC+7 all year.
func VietNam() *time.Location { return time.FixedZone("+07", 7*60*60) }

// NewDate writes the day on which t falls in Viet Nam.
func NewDate(t time.Time) Date { return Date(t.In(VietNam()).Format(dateLayout)) }

// NewTimestamp writes t in Viet Nam time, to the second.
func NewTimestamp(t time.Time) Timestamp { return Timestamp(t.In(VietNam()).Format(timeLayout)) }

// Time is the beginning of the day. It also takes days without leading zeros, with
// - or . between, and with the day first; the error is ErrNoTime.
func (d Date) Time() (time.Time, error) {
	day, rest, _ := strings.Cut(strings.Replace(string(d), "T", " ", 1), " ")
	t, err := parseDay(day)
	if err == nil && rest != "" {
		_, _, err = parseClock(rest)
	}
	return t, err
}

// Time is the moment. It takes what Date takes, T for the blank, seconds or their
// fractions or neither, and a zone; the error is ErrNoTime.
func (t Timestamp) Time() (time.Time, error) {
	day, clock, _ := strings.Cut(strings.Replace(string(t), "T", " ", 1), " ")
	start, err := parseDay(day)
	if err != nil {
		return start, err
	}
	if clock == "" {
		return start, nil
	}
	since, zone, err := parseClock(strings.TrimSpace(clock))
	if zone != nil {
		y, m, d := start.Date()
		start = time.Date(y, m, d, 0, 0, 0, 0, zone)
	}
	return start.Add(since), err
}

func parseDay(s string) (time.Time, error) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '-' || r == '.' })
	if len(parts) != 3 || len(s) > len("2006/01/02") {
		return time.Time{}, ErrNoTime
	}
	if len(parts[2]) == 4 {
		parts[0], parts[2] = parts[2], parts[0]
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 16)
		if err != nil || i == 0 && len(p) != 4 || i > 0 && len(p) > 2 {
			return time.Time{}, ErrNoTime
		}
		n[i] = int(v)
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, VietNam())
	if y, m, d := t.Date(); y != n[0] || int(m) != n[1] || d != n[2] {
		return time.Time{}, ErrNoTime
	}
	return t, nil
}

func parseClock(s string) (since time.Duration, zone *time.Location, err error) {
	for _, layout := range []string{"15:4:5", "15:4", "15:4:5Z07:00", "15:4:5Z0700", "15:4Z07:00"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		h, m, sec := t.Clock()
		if strings.Contains(layout, "Z") {
			zone = t.Location()
		}
		return time.Duration(h*3600+m*60+sec)*time.Second + time.Duration(t.Nanosecond()), zone, nil
	}
	return 0, nil, ErrNoTime
}

func (d Date) deviation() (ToleranceKind, bool) {
	t, err := d.Time()
	return UnlikeDate, err == nil && string(d) != t.Format(dateLayout)
}

func (t Timestamp) deviation() (ToleranceKind, bool) {
	at, err := t.Time()
	return UnlikeDate, err == nil && string(t) != at.Format(timeLayout)
}

// OrganID is the code of an agency as it was written.
type OrganID string

// Agency reads the code; the error is an *agency.SyntaxError, which says how to mend
// it.
func (o OrganID) Agency() (agency.Code, error) { return agency.Parse(string(o)) }

func (o OrganID) deviation() (ToleranceKind, bool) {
	c, err := o.Agency()
	return OldCode, err == nil && string(c) != string(o)
}

// Number is an integer as it was written.
type Number string

// NewNumber writes n.
func NewNumber(n int) Number { return Number(strconv.Itoa(n)) }

// Int is the number; false where it is none.
func (n Number) Int() (int, bool) {
	v, err := strconv.Atoi(string(n))
	return v, err == nil
}

// BusinessType says what a package is for.
type BusinessType string

// The kinds of business; absent means NewDocument.
const (
	NewDocument BusinessType = "0"
	Recall      BusinessType = "1"
	Update      BusinessType = "2"
	Replace     BusinessType = "3"
)

// Known says whether it is one of the four, or absent.
func (b BusinessType) Known() bool {
	switch b {
	case "", NewDocument, Recall, Update, Replace:
		return true
	}
	return false
}

// StatusCode says what became of a document.
type StatusCode string

// The codes that systems send.
const (
	Arrived      StatusCode = "01"
	Refused      StatusCode = "02"
	Accepted     StatusCode = "03"
	Assigned     StatusCode = "04"
	InProgress   StatusCode = "05"
	Finished     StatusCode = "06"
	TakeBack     StatusCode = "13"
	ChangeAgreed StatusCode = "15"
	ChangeDenied StatusCode = "16"
)

// StatusCodes lists them.
func StatusCodes() []StatusCode {
	return []StatusCode{Arrived, Refused, Accepted, Assigned, InProgress, Finished, TakeBack, ChangeAgreed, ChangeDenied}
}

// Name is the state's name for people; the code itself where it is none of the known.
func (s StatusCode) Name(l Language) string {
	names := map[StatusCode][2]string{
		Arrived:      {"Đã đến", "Arrived"},
		Refused:      {"Từ chối tiếp nhận", "Refused"},
		Accepted:     {"Đã tiếp nhận", "Accepted"},
		Assigned:     {"Phân công xử lý", "Assigned"},
		InProgress:   {"Đang xử lý", "In progress"},
		Finished:     {"Hoàn thành", "Finished"},
		TakeBack:     {"Yêu cầu lấy lại", "Asked to give it back"},
		ChangeAgreed: {"Đồng ý cập nhật, lấy lại", "Agreed to the change"},
		ChangeDenied: {"Từ chối cập nhật, lấy lại", "Refused the change"},
	}
	n, ok := names[s]
	if !ok {
		return string(s)
	}
	return l.pick(n[0], n[1])
}

// Known says whether it is one of the nine.
func (s StatusCode) Known() bool { return s.Name(English) != string(s) }

// NewDocumentID writes an id as the systems in the field do: agency, date and
// number/notation.
func NewDocumentID(from OrganID, date Date, number DocumentNumber) string {
	return fmt.Sprintf("%s,%s,%s/%s", from, date, number.Number, number.Notation)
}

// Targets are the ids of the documents that a recall, update or replacement may be
// about: the systems put them in different places, so the receiver takes the first
// that it knows as a document. A recall under the id of what it recalls is the whole
// package again, whose ResponseFor are those that the recalled document answered.
func (d *Document) Targets() []string {
	var ids []string
	add := func(id string) {
		if id != "" {
			ids = append(ids, id)
		}
	}
	switch d.Business.Type {
	case Recall:
		add(d.ID)
		add(d.Business.DocumentID)
		for _, r := range d.ResponseFor {
			add(r.DocumentID)
		}
	case Update:
		add(d.Business.DocumentID)
		add(d.ID)
	case Replace:
		for _, r := range d.Business.Replacements {
			add(r.DocumentID)
		}
	}
	return ids
}
