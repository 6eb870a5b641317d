package tlog

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/evidence"
)

// TileWidth is the number of hashes in a full tile (C2SP tlog-tiles).
const TileWidth = 256

// maxTileLevel is the highest level of tiles that a tree of evidence.MaxTreeSize
// has: 256 to its power is that size.
const maxTileLevel = 6

// TilePath is where a tile is served, relative to the log's prefix (C2SP
// tlog-tiles, "Merkle Tree"): tile/L/N, with .p/W where it is partial. The path
// function of golang.org/x/mod has another form.
func TilePath(level int, index uint64, width int) (string, error) {
	if err := checkTile(level, index, width); err != nil {
		return "", err
	}
	n := fmt.Sprintf("%03d", index%1000)
	for rest := index / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/%s", rest%1000, n)
	}
	path := fmt.Sprintf("tile/%d/%s", level, n)
	if width < TileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path, nil
}

// ReadTile gives a tile's content: its hashes one after the other, 32 bytes each.
// The tree must be large enough to have it.
func ReadTile(level int, index uint64, width int, r HashReader) ([]byte, error) {
	if err := checkTile(level, index, width); err != nil {
		return nil, err
	}
	b, err := tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: int64(index), W: width}, r)
	if err != nil {
		return nil, fmt.Errorf("read tile %d/%d: %w", level, index, err)
	}
	return b, nil
}

func checkTile(level int, index uint64, width int) error {
	if level < 0 || level > maxTileLevel || width < 1 || width > TileWidth {
		return fmt.Errorf("there is no tile of level %d and width %d", level, width)
	}
	if index > evidence.MaxTreeSize>>(8*(level+1)) {
		return fmt.Errorf("tile %d of level %d is beyond the largest tree", index, level)
	}
	return nil
}
