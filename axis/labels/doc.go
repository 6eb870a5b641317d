// Package labels owns labels.db: what is known of the signatures within the files of
// accepted documents; and the loop that looks at them, one file at a time, on nobody's
// way (design, D13).
//
// It follows the accepted documents by a stored place. What comes in is looked at first;
// then what is due again, because something outside was missing; then, from the newest
// to the oldest, what was accepted before the file was begun. Labels are found by the
// commitment of the document's record, which no other document has, so that a journal
// that was set back leads to no wrong one.
//
// The file may be deleted while the axis is stopped: what is still there of contents is
// looked at again.
//
// Fault points: labels.look and labels.row, each .before and .after.
package labels
