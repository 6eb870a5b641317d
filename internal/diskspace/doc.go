// Package diskspace owns how a program notices that its disk is filling up, before
// a database or a file store does: a Guard answers whether something may still be
// written, and says so again only when there is clearly room.
package diskspace
