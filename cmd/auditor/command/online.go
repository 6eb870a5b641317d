package command

import (
	"context"
	"crypto/x509"
	"errors"
	"os"

	"docaxis/auditor"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/internal/revocation"
	"docaxis/signing"
)

// online asks authorities, by the rules of internal/revocation and into a folder that
// goes away. Nothing else of the program uses a network.
type online struct {
	ctx     context.Context
	network revocation.Network
	lang    lang.Language
	// err is about the folder.
	err error
}

// ask fetches what is to be had about chains.
func (a *online) ask(chains [][]*x509.Certificate) (known auditor.Known) {
	dir, err := os.MkdirTemp("", "auditor-*")
	if err != nil {
		a.err = err
		return known
	}
	defer func() { a.err = errors.Join(a.err, os.RemoveAll(dir)) }()
	store, err := revocation.Open(dir, revocation.Config{Network: a.network, MaxCRL: signing.MaxCRL})
	if err != nil {
		a.err = err
		return known
	}
	for _, c := range chains {
		store.Want(c)
	}
	if err := store.Refresh(a.ctx); err != nil {
		a.err = err
		return known
	}
	for _, t := range store.Status().Troubles {
		known.Missing = append(known.Missing, auditor.NotFetched{
			Kind: string(t.Kind), Issuer: t.Issuer, Serial: t.Serial, URLs: t.URLs, Sentence: a.why(t.Err),
		})
	}
	known.Revocation = store.Revocation(chains...)
	return known
}

func (a *online) why(err error) string {
	if err == nil {
		return a.lang.Pick("đã hết hạn, và chưa có bản mới", "it has ended, and there is no newer one")
	}
	return lang.Say(err, a.lang)
}

// asking is nil unless somebody asked for a network.
func (c *verifyCommand) asking(ctx context.Context, l lang.Language) (*online, error) {
	if !c.Online {
		if len(c.Allow) > 0 || c.Proxy != "" {
			return nil, lang.Errorf("--allow và --proxy chỉ dùng cùng với --online.", "--allow and --proxy go with --online alone.")
		}
		return nil, nil
	}
	network, err := inspect.Settings{Allow: c.Allow, Proxy: c.Proxy}.Network()
	return &online{ctx: ctx, network: network, lang: l}, err
}
