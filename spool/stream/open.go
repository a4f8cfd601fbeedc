package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config says which stream a Store uses.
type Config struct {
	// Connect returns the connection to NATS. It waits for one until ctx ends, at most. The
	// connection belongs to the caller, and remains open.
	// nil: there is none, and none is made.
	Connect  func(ctx context.Context) (*nats.Conn, error)
	Prefix   string // of the subjects; that of the streams' names is the same, with - for dots
	Replicas int    // how many servers keep a copy, if the stream is made
	Secret   []byte // that the bucket had before, in case it was lost; nil: not known
	Log      *slog.Logger
}

// errNoConnection is the error of a Config without Connect.
var errNoConnection = errors.New("store = \"jetstream\" was added to the configuration together with [cluster] since the gateway was started: start it again")

// openTimeout bounds how long Open waits for NATS.
const openTimeout = 15 * time.Second

// requestTimeout bounds how long NATS may take for one request.
const requestTimeout = 5 * time.Second

// secretLength is the length of the secret in bytes.
const secretLength = 32

// secretKey is the key of the secret in the bucket.
const secretKey = "secret"

// Store is values in a stream. Its methods may be called by several goroutines. It must be
// closed.
type Store struct {
	// static after Open
	cfg     Config
	conn    *nats.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream
	shared  jetstream.KeyValue
	secret  []byte
	values  signer
	removes signer
	id      [idLength]byte // of this Store, among all that use the stream
	changes chan Change
	newLead chan struct{} // of capacity 1: whether it leads has changed
	recheck chan struct{} // of capacity 1: what is left is to be found out
	same    identity
	removed *nats.Subscription
	running sync.WaitGroup
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc

	clock serverClock
	feed  feed
	lease lease
}

// Open opens a stream, and makes it if there is none.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if cfg.Connect == nil {
		return nil, errNoConnection
	}
	conn, err := cfg.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("there is no connection to NATS ([cluster].nats): %w", err)
	}
	s := &Store{cfg: cfg, conn: conn, feed: newFeed(), changes: make(chan Change, maxChanges), newLead: make(chan struct{}, 1), recheck: make(chan struct{}, 1)}
	rand.Read(s.id[:])
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.running.Go(s.follow)
	s.running.Go(s.findLeft)
	s.running.Go(s.campaign)
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	s.js, err = jetstream.New(s.conn, jetstream.WithDefaultTimeout(requestTimeout), jetstream.WithPublishAsyncTimeout(requestTimeout))
	if err != nil {
		return err
	}
	if s.stream, err = s.openStream(ctx); err != nil {
		return s.explain("stream", s.name(), err)
	}
	about := s.stream.CachedInfo()
	if err := s.checkSettings(&about.Config); err != nil {
		return fmt.Errorf("stream %s of NATS: %w", s.name(), err)
	}
	s.same.created = about.Created
	s.setTime(about)
	if s.shared, err = s.openBucket(ctx); err != nil {
		return s.explain("bucket", s.name(), err)
	}
	s.compareReplicas(ctx, about.Config.Replicas)
	if s.secret, err = s.openSecret(ctx); err != nil {
		return err
	}
	if s.same.epoch, err = s.openEpoch(ctx); err != nil {
		return err
	}
	s.same.checked.Store(s.conn.Stats().Reconnects)
	if s.values, err = newSigner(s.secret, "values", s.same.created); err != nil {
		return err
	}
	if s.removes, err = newSigner(s.secret, "removals", s.same.created); err != nil {
		return err
	}
	if s.removed, err = s.conn.Subscribe(s.removedSubject(), s.noteRemoved); err != nil {
		return err
	}
	return s.removed.SetPendingLimits(maxChanges, maxChanges*maxRemovedLength)
}

// name returns the name of the stream, and of the bucket.
func (s *Store) name() string { return strings.ReplaceAll(s.cfg.Prefix, ".", "-") + "-spool" }

// subject returns the subject of values.
func (s *Store) subject() string { return s.cfg.Prefix + ".spool.records" }

// removedSubject returns the subject of messages that say what was removed.
func (s *Store) removedSubject() string { return s.cfg.Prefix + ".spool.removed" }

// openStream returns the stream. One that exists keeps its settings, which its operator may have
// changed.
func (s *Store) openStream(ctx context.Context) (jetstream.Stream, error) {
	st, err := s.js.Stream(ctx, s.name())
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return st, err
	}
	st, err = s.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: s.name(), Subjects: []string{s.subject()}, Description: "accounting of radsec-gw that no RADIUS server has yet",
		Storage: jetstream.FileStorage, Replicas: s.cfg.Replicas, MaxMsgSize: maxValue, Discard: jetstream.DiscardNew,
		Duplicates: requestTimeout, // no message has an identifier: what may be remembered of them is nothing
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process has made it
		return s.js.Stream(ctx, s.name())
	}
	if err == nil {
		s.cfg.Log.Info("the stream of the spool was made", "stream", s.name(), "replicas", s.cfg.Replicas)
	}
	return st, err
}

// openBucket returns the bucket of what the processes share beside the values.
func (s *Store) openBucket(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := s.js.KeyValue(ctx, s.name())
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	kv, err = s.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: s.name(), Description: "what the gateways of radsec-gw share about the spool", Storage: jetstream.FileStorage, Replicas: s.cfg.Replicas})
	if errors.Is(err, jetstream.ErrBucketExists) {
		return s.js.KeyValue(ctx, s.name())
	}
	return kv, err
}

// compareReplicas warns if the bucket is on fewer servers than the stream: somebody has changed only
// that.
func (s *Store) compareReplicas(ctx context.Context, ofStream int) {
	st, err := s.shared.Status(ctx)
	if err != nil {
		return
	}
	if of, ok := st.(*jetstream.KeyValueBucketStatus); ok && of.StreamInfo().Config.Replicas < ofStream {
		s.cfg.Log.Warn("the bucket of the spool has fewer replicas than its stream: if its servers are lost, nobody can send what is stored; nats stream edit --replicas changes it", "stream", "KV_"+s.name(), "replicas", of.StreamInfo().Config.Replicas, "of_the_spool", ofStream)
	}
}

// getKey reads a key. A bucket that was just made may have no server yet that answers.
func (s *Store) getKey(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	for {
		entry, err := s.shared.Get(ctx, key)
		if !errors.Is(err, nats.ErrNoResponders) {
			return entry, err
		}
		select {
		case <-time.After(keyPause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// keyPause is how long getKey waits before it tries again.
const keyPause = 100 * time.Millisecond

// openSecret returns the secret that all processes share; the first makes it.
func (s *Store) openSecret(ctx context.Context) ([]byte, error) {
	return s.openKey(ctx, secretKey, secretLength, s.cfg.Secret)
}

// openKey returns what the bucket has of a key; the first process makes it: what it had before, or
// random octets.
func (s *Store) openKey(ctx context.Context, key string, length int, before []byte) ([]byte, error) {
	for {
		entry, err := s.getKey(ctx, key)
		if err == nil {
			if got := len(entry.Value()); got != length {
				return nil, fmt.Errorf("key %s of bucket %s: expected %d bytes, got %d", key, s.name(), length, got)
			}
			return entry.Value(), nil
		}
		value := before
		if value == nil {
			value = make([]byte, length)
			rand.Read(value)
		}
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			if _, err = s.shared.Create(ctx, key, value); err == nil {
				return value, nil
			}
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return nil, fmt.Errorf("key %s of bucket %s: %w", key, s.name(), err)
		}
	}
}

// explain adds to an error of NATS what its operator can do.
func (s *Store) explain(what, name string, err error) error {
	advice := ""
	var api jetstream.JetStreamError
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		advice = "; JetStream must be enabled in the NATS servers, for the account of the gateway"
	case errors.As(err, &api) && api.APIError() != nil && (api.APIError().ErrorCode == errInsufficient || api.APIError().ErrorCode == errNotClustered || api.APIError().ErrorCode == errNoPeers):
		advice = fmt.Sprintf("; [spool].replicas is %d: the NATS cluster needs as many servers with JetStream, and space on their disks", s.cfg.Replicas)
	}
	return fmt.Errorf("%s %s of NATS: %w%s", what, name, err, advice)
}

// Errors of NATS servers that say that there are too few of them, or that they have no space.
const (
	errAccountFull  jetstream.ErrorCode = 10002
	errNoPeers      jetstream.ErrorCode = 10005
	errInsufficient jetstream.ErrorCode = 10023
	errStorageFull  jetstream.ErrorCode = 10047
	errNotClustered jetstream.ErrorCode = 10074
	errStreamFull   jetstream.ErrorCode = 10077
)

// isFull reports whether an error says that there is no space to store something.
func isFull(err error) bool {
	var answer jetstream.JetStreamError
	if !errors.As(err, &answer) || answer.APIError() == nil {
		return false
	}
	return slices.Contains([]jetstream.ErrorCode{errAccountFull, errInsufficient, errStorageFull, errStreamFull}, answer.APIError().ErrorCode)
}

// Secret returns the secret that all processes share, of 32 bytes.
func (s *Store) Secret() []byte { return s.secret }

// closeTimeout is how long Close waits for what it has ended: longer than for the lead.
const closeTimeout = resignTimeout + 200*time.Millisecond

// Abort ends everything that waits for NATS, with errors, and the lead. Close must follow.
func (s *Store) Abort() { s.cancel() }

// Close ends the use of the stream, and of the lead.
func (s *Store) Close() error {
	s.cancel()
	if s.removed != nil {
		s.removed.Unsubscribe()
	}
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(closeTimeout): // package jetstream waits for NATS by itself, and then they end, too
	}
	if s.js != nil {
		s.js.CleanupPublisher()
	}
	return nil
}
