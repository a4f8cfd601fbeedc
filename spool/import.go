package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"radsec-gw/spool/detail"
	"radsec-gw/wire"
)

// Imported says what became of the records of an import.
type Imported struct {
	Stored  int      // those that were in the spool already included
	Refused int      // that could not be stored
	Unread  int      // that could not be understood
	Skipped int      // attributes that are not known by name
	Why     []string // the first reasons for the last three
}

// maxReasons bounds Imported.Why.
const maxReasons = 20

func (i *Imported) note(format string, args ...any) {
	if len(i.Why) < maxReasons {
		i.Why = append(i.Why, fmt.Sprintf(format, args...))
	}
}

// Import stores the records of a file in FreeRADIUS's detail format, as if they had arrived when
// it says. Those without a client's name are of the client. It returns when they are stored.
// The error is of reading from r.
//
// Rules: SP14.
func (s *Spool) Import(ctx context.Context, r io.Reader, client string) (Imported, error) {
	return s.importAll(ctx, r, client, func(*detail.Record) {})
}

// importAll is Import. It calls refused with each record that could not be stored.
func (s *Spool) importAll(ctx context.Context, r io.Reader, client string, refused func(*detail.Record)) (Imported, error) {
	var out Imported
	if _, err := s.opened(); err != nil {
		return out, err
	}
	from := s.Secret()
	results := make(chan importResult, atOnce+1) // one more may be handed over when ctx has ended
	waiting := 0
	collect := func() {
		waiting--
		select {
		case r := <-results:
			if r.err != nil {
				out.Refused++
				out.note("not stored: %v", r.err)
				refused(r.record)
			} else {
				out.Stored++
			}
		case <-ctx.Done():
		}
	}
	in := detail.NewReader(r)
	var err error
	for ctx.Err() == nil {
		var d *detail.Record
		d, err = in.Next()
		if bad := new(detail.RecordError); errors.As(err, &bad) {
			out.Unread++
			out.note("%v", err)
			continue
		}
		if err != nil {
			break
		}
		out.Skipped += len(d.Skipped)
		for _, name := range d.Skipped {
			out.note("skipped: %s", name)
		}
		if waiting++; waiting == atOnce {
			collect()
		}
		s.importOne(d, client, from, results)
	}
	for waiting > 0 {
		collect()
	}
	if err == io.EOF {
		err = nil
	}
	return out, errors.Join(err, ctx.Err())
}

// importResult says whether a record was stored.
type importResult struct {
	record *detail.Record
	err    error
}

// importOne hands over one record, whose result is sent to results.
func (s *Spool) importOne(d *detail.Record, client string, from *wire.ClientSecret, results chan<- importResult) {
	if d.Client == "" {
		d.Client = client
	}
	if t := d.Arrived.Unix(); t < 0 || t > math.MaxUint32 { // not known
		d.Arrived = time.Now()
	}
	e := &Entry{Record: Record{Arrived: d.Arrived, Client: d.Client, Address: d.Address, Sent: true}, From: from, Waited: max(0, time.Since(d.Arrived)), done: func(err error) { results <- importResult{d, err} }}
	if err := e.Packet.Parse(d.Packet); err != nil {
		results <- importResult{d, err}
		return
	}
	e.Marks = s.Marks(d.Client, &e.Packet)
	if err := s.Add(e); err != nil {
		results <- importResult{d, err}
	}
}

// retryName is the file of records that were set aside while they are sent again.
const retryName = asideName + ".retry"

// RetryAside brings the records back that were set aside. Those that cannot be stored now are set
// aside again. A file in which a record cannot be understood is kept under another name for
// people to look at, and is not read again. One call at a time does so.
//
// Rules: SP12.
func (s *Spool) RetryAside(ctx context.Context) (Imported, error) {
	var out Imported
	if !s.retrying.CompareAndSwap(false, true) {
		return out, errRetrying
	}
	defer s.retrying.Store(false)
	path := filepath.Join(s.cfg.Directory, retryName)
	for {
		f, err := s.openRetry(path)
		if errors.Is(err, fs.ErrNotExist) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		var refused []byte
		part, err := s.importAll(ctx, f, "", func(d *detail.Record) { refused = d.Append(refused) })
		f.Close()
		out.add(&part)
		if err == nil && part.Refused > 0 {
			err = s.appendAside(refused)
		}
		if err == nil {
			err = finishRetry(path, &out, part.Unread > 0)
		}
		if err != nil || part.Refused > 0 {
			return out, err
		}
	}
}

var errRetrying = errors.New("records that were set aside are being brought back already")

// openRetry opens the file of a retry: what an earlier one has left, or else that of the records
// that were set aside. Nobody writes to it any longer.
func (s *Spool) openRetry(path string) (*os.File, error) {
	f, err := os.Open(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	s.asideFile.Lock()
	err = os.Rename(filepath.Join(s.cfg.Directory, asideName), path)
	s.asideFile.Unlock()
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// finishRetry removes the file of a retry; keep says that it is kept under another name.
func finishRetry(path string, out *Imported, keep bool) error {
	if keep {
		kept, err := keepAs(path, "unread")
		if err != nil {
			return err
		}
		out.note("the file with what could not be understood is kept as %s; radsec-gw spool import reads it when it is corrected", kept)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// add adds what became of further records.
func (i *Imported) add(more *Imported) {
	i.Stored, i.Refused, i.Unread, i.Skipped = i.Stored+more.Stored, i.Refused+more.Refused, i.Unread+more.Unread, i.Skipped+more.Skipped
	for _, why := range more.Why {
		i.note("%s", why)
	}
}
