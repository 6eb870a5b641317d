package reason

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"time"

	"docaxis/signing"
)

// verdicts are the sentences about a seal as phrases, with the signer as {1} and the
// time relied on as {2}: they travel in English inside a refusal.
func verdicts() []text {
	var all []text
	for _, sub := range signing.SubIndications() {
		all = append(all, text{vi: template(sub, "vi"), en: template(sub, "en")})
	}
	return all
}

func template(sub signing.SubIndication, lang string) string {
	at := time.Unix(0, 0)
	v := signing.Verdict{SubIndication: sub, Time: at, Signer: &x509.Certificate{Subject: pkix.Name{CommonName: "{1}"}}}
	stamp := at.In(time.FixedZone("+07", 7*60*60)).Format("2006-01-02T15:04:05-07:00")
	return strings.ReplaceAll(v.Sentence(lang), stamp, "{2}")
}
