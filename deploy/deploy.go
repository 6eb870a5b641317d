// Package deploy owns what an installation begins with: the list of agencies.
package deploy

import _ "embed"

// Agencies is agencies.csv: codes and names as of 2016 to 2024, the recalled ones
// marked, with the lower levels that the demo uses.
//
//go:embed agencies.csv
var Agencies string
