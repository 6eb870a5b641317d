package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"docaxis/internal/lang"
)

// bbolt trusts what it maps: a damaged page makes it panic, at a start in a goroutine
// of its own, and a file that is shorter than it says ends the process. So every page
// that can be reached is walked before bbolt sees it.

// ErrDamaged says that the file is not, or no more, what bbolt wrote. Nothing else has
// what it had: it must come from a backup. It is left as it is.
var ErrDamaged = errors.New("the pages of the endpoint's store are damaged")

func damaged(path string, why error) error {
	return lang.Errorf("Tệp %s bị hỏng; không có gì thay đổi. Hãy khôi phục cả thư mục từ bản sao lưu: endpoint restore. Nếu không có bản sao lưu, hãy giữ nguyên tệp này và hỏi quản trị trục.",
		"File %s is damaged; nothing was changed. Put the whole folder back from a backup: endpoint restore. Without a backup, keep this file as it is and ask the operator of the axis.",
		path).Because(fmt.Errorf("%w: %w", ErrDamaged, why))
}

// checkPages walks a file that nobody writes. One that is not there or empty is fine:
// it is made.
func checkPages(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the endpoint's store: %w", err)
	}
	// Its lock keeps writers out meanwhile; so opened, bbolt reads the first two
	// pages alone.
	held, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, ReadOnly: true})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return ErrInUse
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("open the endpoint's store: %w", err)
	case err != nil:
		return damaged(path, err)
	}
	defer held.Close()
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the endpoint's store: %w", err)
	}
	defer f.Close()
	if err := walk(f, info.Size()); err != nil {
		return damaged(path, err)
	}
	return nil
}

// Parts of bbolt's format, version 2. A page begins with its number (8), kind (2),
// count of elements (2) and how many pages more it takes (4). An element has 16 bytes
// and says where its key and value are, counted from itself.
const (
	headBytes    = 16
	elementBytes = 16
	bucketBytes  = 16
	metaBytes    = 64

	branchPage = 1
	leafPage   = 2
	bucketFlag = 1

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	maxPageSize = 64 << 10
)

var native = binary.NativeEndian

// walker goes through what the newest meta page leads to.
type walker struct {
	file     io.ReaderAt
	pageSize uint64
	end      uint64 // pages in use
	seen     map[uint64]bool
}

func walk(f io.ReaderAt, size int64) error {
	w := &walker{file: f, seen: map[uint64]bool{}}
	root, err := w.meta()
	if err != nil {
		return err
	}
	if uint64(size) < w.end*w.pageSize {
		return fmt.Errorf("it has %d bytes, and should have %d", size, w.end*w.pageSize)
	}
	return w.page(root, nil, nil)
}

// meta chooses the page from which bbolt would begin, and gives the root.
func (w *walker) meta() (root uint64, err error) {
	newest := uint64(0)
	for _, pageSize := range []uint64{4 << 10, 8 << 10, 16 << 10, 32 << 10, maxPageSize} {
		for i := range uint64(2) {
			b := make([]byte, headBytes+metaBytes)
			if _, err := w.file.ReadAt(b, int64(i*pageSize)); err != nil {
				continue
			}
			m := b[headBytes:]
			sum := fnv.New64a()
			sum.Write(m[:metaBytes-8])
			if native.Uint32(m) != boltMagic || native.Uint32(m[4:]) != boltVersion || uint64(native.Uint32(m[8:])) != pageSize ||
				native.Uint64(m[metaBytes-8:]) != sum.Sum64() {
				continue
			}
			if tx := native.Uint64(m[48:]); root == 0 || tx > newest {
				newest, root, w.end, w.pageSize = tx, native.Uint64(m[16:]), native.Uint64(m[40:]), pageSize
			}
		}
	}
	if root == 0 {
		return 0, errors.New("neither of its first pages is whole")
	}
	return root, nil
}

// page checks a page and all below it: their keys lie from first on and before next,
// where those are not nil.
func (w *walker) page(id uint64, first, next []byte) error {
	if id < 2 || id >= w.end || w.seen[id] {
		return fmt.Errorf("page %d is out of place", id)
	}
	w.seen[id] = true
	b := make([]byte, w.pageSize)
	if _, err := w.file.ReadAt(b, int64(id*w.pageSize)); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(native.Uint32(b[12:]))
	if native.Uint64(b) != id || more >= w.end-id {
		return fmt.Errorf("page %d says that it is page %d, with %d more", id, native.Uint64(b), more)
	}
	for next := id + 1; next <= id+more; next++ {
		if w.seen[next] {
			return fmt.Errorf("page %d is of page %d, too", next, id)
		}
		w.seen[next] = true
	}
	if more > 0 {
		b = make([]byte, (more+1)*w.pageSize)
		if _, err := w.file.ReadAt(b, int64(id*w.pageSize)); err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
	}
	if err := w.elements(b, first, next); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// elements checks a page's elements, in a page of their own or inside a value.
func (w *walker) elements(b, first, next []byte) error {
	kind, count := native.Uint16(b[8:]), int(native.Uint16(b[10:]))
	if kind != branchPage && kind != leafPage || headBytes+count*elementBytes > len(b) || kind == branchPage && count == 0 {
		return fmt.Errorf("%d elements of kind %d", count, kind)
	}
	keys := make([][]byte, count+1)
	keys[count] = next
	for i := range count {
		at := headBytes + i*elementBytes
		key, _, err := element(b, at, kind)
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		if first != nil && bytes.Compare(key, first) < 0 || i > 0 && bytes.Compare(key, keys[i-1]) <= 0 || next != nil && bytes.Compare(key, next) >= 0 {
			return fmt.Errorf("the key of element %d is out of order", i)
		}
		keys[i] = key
	}
	for i := range count {
		if err := w.below(b, headBytes+i*elementBytes, kind, keys[i], keys[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// element gives key and value of the element at a place of a page.
func element(b []byte, at int, kind uint16) (key, value []byte, err error) {
	e := b[at:][:elementBytes]
	pos, keyBytes, valueBytes := uint64(native.Uint32(e)), uint64(native.Uint32(e[4:])), uint64(0)
	if kind == leafPage {
		pos, keyBytes, valueBytes = uint64(native.Uint32(e[4:])), uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
	}
	from := uint64(at) + pos
	if from+keyBytes+valueBytes > uint64(len(b)) {
		return nil, nil, errors.New("it lies outside of the page")
	}
	return b[from:][:keyBytes:keyBytes], b[from+keyBytes:][:valueBytes:valueBytes], nil
}

// below goes on to the page of a branch's element, and to the root of a bucket.
func (w *walker) below(b []byte, at int, kind uint16, key, next []byte) error {
	e := b[at:][:elementBytes]
	if kind == branchPage {
		return w.page(native.Uint64(e[8:]), key, next)
	}
	_, value, err := element(b, at, kind)
	if err != nil || native.Uint32(e)&bucketFlag == 0 {
		return err
	}
	if len(value) < bucketBytes {
		return errors.New("a bucket without a head")
	}
	if root := native.Uint64(value); root != 0 {
		return w.page(root, nil, nil)
	}
	if len(value) < bucketBytes+headBytes {
		return errors.New("a bucket without a page")
	}
	return w.elements(value[bucketBytes:], nil, nil)
}
