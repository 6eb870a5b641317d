package ledger

import "strings"

// atOnce is how many rows one statement writes where there are as many: binding and
// stepping cost more than a row does.
const atOnce = 32

// manyOf are the statements that write atOnce rows, by the one that writes a row.
func manyOf(inserts ...string) map[string]string {
	all := make(map[string]string, len(inserts))
	for _, one := range inserts {
		i := strings.Index(one, "(?")
		all[one] = one + strings.Repeat(", "+one[i:], atOnce-1)
	}
	return all
}

// manyRows are those of which a block may have thousands.
func manyRows() map[string]string {
	return manyOf(insertHash, insertChunk, insertRecipient, insertMailbox, insertServed)
}

// execMany writes n rows of one kind, whose values row appends.
func (a *applier) execMany(insert string, n int, row func(i int, values []any) []any) error {
	var values []any
	for i := range n {
		values = row(i, values)
		switch left := n - i - 1; {
		case (i+1)%atOnce == 0:
			if err := a.exec(a.many[insert], values...); err != nil {
				return err
			}
		case left+(i+1)%atOnce < atOnce: // too few for another
			if err := a.exec(insert, values...); err != nil {
				return err
			}
		default:
			continue
		}
		values = values[:0]
	}
	return nil
}
