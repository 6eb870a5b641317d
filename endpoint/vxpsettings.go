package endpoint

import (
	"errors"
	"time"

	"docaxis/internal/lang"
)

// Numbers of [vxp] where nothing else is set.
const (
	defaultKeepDays     = 400
	defaultOverlapDays  = 7
	defaultLeaseMinutes = 60
	defaultFailLimit    = 5
)

// VXP is how systems are served that speak the national axis's protocol.
type VXP struct {
	VXPListen
	// KeepDays is for how long the same package of the same system is answered as it
	// was the first time; 400 where it is not set.
	KeepDays *int `toml:"keep_days"`
	// OverlapDays is for how long a system's old secret stays good beside a new one;
	// 7 where it is not set.
	OverlapDays *int `toml:"overlap_days"`
	// LeaseMinutes is for how long a delivery is not listed once a system said that it
	// works on it; 60 where it is not set.
	LeaseMinutes *int `toml:"lease_minutes"`
	// FailLimit is how often a system may say of a delivery that it cannot take it,
	// before a person must decide; 5 where it is not set.
	FailLimit *int `toml:"fail_limit"`
}

func (v VXP) validate() error {
	found := []error{v.VXPListen.validate()}
	for name, n := range map[string]*int{
		"keep_days": v.KeepDays, "overlap_days": v.OverlapDays, "lease_minutes": v.LeaseMinutes,
	} {
		if n != nil && *n < 0 {
			found = append(found, lang.Errorf("vxp.%s không được âm: hãy ghi một số từ 0", "vxp.%s is negative: write a number from 0 on", name))
		}
	}
	if v.FailLimit != nil && *v.FailLimit < 1 {
		found = append(found, lang.Errorf("vxp.fail_limit phải từ 1: hãy ghi số lần", "vxp.fail_limit must be at least 1: write how many times"))
	}
	return errors.Join(found...)
}

func (v VXP) keep() time.Duration    { return days(v.KeepDays, defaultKeepDays) }
func (v VXP) overlap() time.Duration { return days(v.OverlapDays, defaultOverlapDays) }

func (v VXP) lease() time.Duration {
	const most = 366 * 24 * 60
	n := defaultLeaseMinutes
	if v.LeaseMinutes != nil {
		n = min(*v.LeaseMinutes, most)
	}
	return time.Duration(n) * time.Minute
}

func (v VXP) failLimit() uint32 {
	if v.FailLimit != nil {
		return uint32(min(*v.FailLimit, 1<<30))
	}
	return defaultFailLimit
}

// failWait is how long a delivery rests after so many failures: a minute, doubling up
// to an hour.
func failWait(failures uint32) time.Duration {
	if failures < 1 {
		failures = 1
	}
	return min(time.Minute<<min(failures-1, 6), time.Hour)
}
