package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"radsec-gw/spool"
)

// SocketName is the name of the socket in the spool's directory.
const SocketName = "control.sock"

func address(value []byte) string {
	a, _ := netip.AddrFromSlice(value)
	return a.String()
}

// maxNumbers bounds a list of numbers in bytes.
const maxNumbers = 64 << 20

// maxImport bounds the body of an import in bytes: as much as a spool may hold.
const maxImport = 1 << 40

// Serve serves the socket of a spool until ctx is done. A socket that is there is replaced: its
// gateway has ended, because the spool is open.
func Serve(ctx context.Context, s *spool.Spool) error {
	path := filepath.Join(s.Directory(), SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l, err := listen(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	server := &http.Server{Handler: handler(s), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen listens on a socket that only the user of this process can open.
func listen(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// handler answers the requests of doc.go.
func handler(s *spool.Spool) http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern string, f func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a := &reply{ResponseWriter: w, control: http.NewResponseController(w)}
			err := f(a, r)
			switch {
			case err == nil:
			case a.began: // what the client has is not whole: it must not take it for that
				panic(http.ErrAbortHandler)
			default:
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
			}
		})
	}
	answer("GET /records", func(w http.ResponseWriter, r *http.Request) error {
		after, err := afterOf(r)
		if err != nil {
			return err
		}
		out := json.NewEncoder(w)
		var failed error
		err = s.Each(after, func(k *spool.Kept) bool {
			failed = out.Encode(lineOf(k))
			return failed == nil && r.Context().Err() == nil
		})
		return errors.Join(err, failed)
	})
	answer("GET /export", func(w http.ResponseWriter, r *http.Request) error { return export(w, r, s) })
	answer("POST /retry", func(w http.ResponseWriter, r *http.Request) error {
		imported, err := s.RetryAside(r.Context())
		if err != nil {
			return err
		}
		s.SendNow()
		st := s.State()
		return json.NewEncoder(w).Encode(Retried{Records: st.Records, Elsewhere: st.Elsewhere, Imported: imported})
	})
	answer("POST /drop", func(w http.ResponseWriter, r *http.Request) error {
		chosen, err := chosenBy(r)
		if err != nil {
			return err
		}
		n, err := s.Drop(func(k *spool.Kept) bool { return chosen == nil || chosen[k.Number] })
		if err != nil {
			return err
		}
		st := s.State()
		return json.NewEncoder(w).Encode(Dropped{Records: n, Left: st.Records, Elsewhere: st.Elsewhere})
	})
	answer("POST /import", func(w http.ResponseWriter, r *http.Request) error {
		imported, err := s.Import(r.Context(), http.MaxBytesReader(w, r.Body, maxImport), r.FormValue("client"))
		if err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(imported)
	})
	return mux
}

// readTimeout is how long somebody may take to read a part of an answer.
const readTimeout = time.Minute

// reply is an answer.
type reply struct {
	http.ResponseWriter
	control *http.ResponseController
	began   bool
}

// Write implements io.Writer. It does not wait for ever for who does not read.
func (a *reply) Write(p []byte) (int, error) {
	a.began = true
	if err := a.control.SetWriteDeadline(time.Now().Add(readTimeout)); err != nil {
		return 0, err
	}
	return a.ResponseWriter.Write(p)
}

// afterOf returns the number after which records are wanted, 0 if a request gives none.
func afterOf(r *http.Request) (uint64, error) {
	text := r.FormValue("after")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("after: expected the number of a record, got %q", text)
	}
	return n, nil
}

// export writes records in the detail format.
func export(w http.ResponseWriter, r *http.Request, s *spool.Spool) error {
	chosen, err := chosenBy(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if chosen != nil {
		return exportChosen(w, s, chosen)
	}
	var text []byte
	var failed error
	err = s.Each(0, func(k *spool.Kept) bool {
		text = k.Detail().Append(text[:0])
		_, failed = w.Write(text)
		return failed == nil
	})
	return errors.Join(err, failed)
}

// exportChosen writes the records with certain numbers, if all of them are there.
func exportChosen(w http.ResponseWriter, s *spool.Spool, chosen map[uint64]bool) error {
	var text []byte
	wanted := len(chosen)
	err := s.Each(0, func(k *spool.Kept) bool {
		if chosen[k.Number] {
			text = k.Detail().Append(text)
			delete(chosen, k.Number)
		}
		return len(chosen) > 0
	})
	if err == nil && len(chosen) > 0 {
		err = fmt.Errorf("%d of the %d records are not there, such as %d", len(chosen), wanted, slices.Min(slices.Collect(maps.Keys(chosen))))
	}
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// chosenBy returns the numbers that a request gives; nil if it wants all records.
func chosenBy(r *http.Request) (map[uint64]bool, error) {
	list := r.FormValue("numbers")
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxNumbers))
		if err != nil {
			return nil, err
		}
		list = string(body)
	}
	if list == "" {
		if r.Method == http.MethodPost && r.FormValue("all") != "1" {
			return nil, errors.New("expected numbers of records, or all=1")
		}
		return nil, nil
	}
	chosen := map[uint64]bool{}
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("expected the number of a record, got %q", text)
		}
		chosen[n] = true
	}
	return chosen, nil
}

// Retried is the answer to a retry.
type Retried struct {
	Records   int            // in the spool, to be sent now
	Elsewhere bool           // another gateway sends them, whose waits go on
	Imported  spool.Imported // of those that had been set aside
}

// Dropped is the answer to a drop.
type Dropped struct {
	Records   int  // that were removed
	Left      int  // in the spool
	Elsewhere bool // another gateway sends them, and may have been sending some
}
