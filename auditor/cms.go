package auditor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"docaxis/internal/lang"
	"docaxis/signing"
)

// maxArmoured is the largest file of a signature: PEM takes a third more.
const maxArmoured = signing.MaxSize * 3 / 2

// cms judges a detached signature over its content.
func (a *audit) cms(s *source, f *File) error {
	if s.size > maxArmoured {
		return lang.Errorf("Tệp chữ ký có %d byte, quá giới hạn %d byte của một chữ ký tách rời. Hãy lấy tệp chữ ký từ nơi gửi.",
			"The signature has %d bytes, more than the %d that a detached one may have. Get the signature from its sender.", s.size, maxArmoured)
	}
	raw, err := s.whole(maxArmoured)
	if err != nil {
		return err
	}
	path, err := a.contentOf(s.path)
	if err != nil {
		return err
	}
	content, err := open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	verdicts, err := signing.VerifyReader(unarmoured(raw), content.content(), a.signing())
	if err != nil {
		return unreadable(path, err)
	}
	for _, v := range verdicts {
		sig := a.judged(ForContent, v)
		sig.Form = "CMS"
		sig.Covers = Covers{
			File: path, Bytes: content.size,
			Sentence: fmt.Sprintf(a.say("toàn bộ tệp %s (%d byte)", "the whole of file %s (%d bytes)"), filepath.Base(path), content.size),
		}
		f.Signatures = append(f.Signatures, sig)
	}
	f.Sentence = a.say("Chữ ký tách rời trên tệp ", "A detached signature over file ") + filepath.Base(path) + "."
	return nil
}

// contentOf is the file that a signature is over: the named one, or the one that is
// beside it.
func (a *audit) contentOf(path string) (string, error) {
	if a.Content != "" {
		return a.Content, nil
	}
	if ext := filepath.Ext(path); strings.EqualFold(ext, ".p7s") {
		beside := strings.TrimSuffix(path, ext)
		if _, err := os.Stat(beside); !errors.Is(err, fs.ErrNotExist) {
			return beside, nil
		}
	}
	return "", lang.Errorf("Không thấy tệp mà chữ ký %s ký lên. Hãy nêu tệp đó bằng --content.",
		"The file that %s signs is not at hand. Name it with --content.", path)
}
