package spool

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/bench/faults"
	"radsec-gw/metrics"
	"radsec-gw/spool"
	"radsec-gw/wire"
)

// owner acknowledges nothing to nobody: it counts.
type owner struct {
	stored, failed atomic.Int64
	all            chan struct{} // closed when all are stored
	want           int64
}

func (o *owner) Stored(entries []*spool.Entry) {
	for _, e := range entries {
		if e.Err != nil {
			o.failed.Add(1)
		}
	}
	if o.stored.Add(int64(len(entries))) == o.want {
		close(o.all)
	}
}

func (*owner) Send(records []*spool.Outgoing) {
	for _, r := range records {
		r.Done(spool.NotSent)
	}
}

func (*owner) Reachable(string) bool { return false }

// fill stores records in a new spool as fast as it takes them, and measures that.
func fill(ctx context.Context, directory string, size Size) ([]faults.Row, error) {
	o := &owner{all: make(chan struct{}), want: int64(size.Records)}
	s := spool.New(spool.Config{Directory: directory, Owner: o, Metrics: metrics.New(prometheus.NewRegistry()).Spool(), Log: slog.New(slog.DiscardHandler),
		Limits: spool.Limits{MaxOctets: math.MaxInt64, MaxRecords: math.MaxInt, MaxAge: time.Hour, Rate: 1, Window: 1, Attempts: 1}})
	s.Start(ctx)
	defer s.Close(ctx)
	if err := s.State().Err; err != nil {
		return nil, err
	}
	secret, err := wire.NewClientSecret([]byte("radsec"))
	if err != nil {
		return nil, err
	}
	template, err := record()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	for i := range size.Records {
		if err := add(ctx, s, secret, template, i); err != nil {
			return nil, err
		}
	}
	select {
	case <-o.all:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	rate := float64(size.Records) / time.Since(begin).Seconds()
	return []faults.Row{
		row("acknowledged, each synced to the disk", fmt.Sprintf("at least %d a second", leastStored), fmt.Sprintf("%.0f a second", rate), rate >= leastStored, true),
		row("all of them", "none failed", fmt.Sprintf("%d failed", o.failed.Load()), o.failed.Load() == 0, false),
	}, nil
}

// sessionDigits is where the octets of a record's session are that differ.
const sessionDigits = 8

// record returns the Accounting-Request that every record is like.
func record() ([]byte, error) {
	p := radius.New(radius.CodeAccountingRequest, []byte("radsec"))
	for _, err := range []error{
		rfc2866.AcctSessionID_Set(p, make([]byte, sessionDigits)), // first: add knows where it is
		rfc2865.UserName_SetString(p, "bob@example.org"),
		rfc2865.NASIdentifier_SetString(p, "ap-17.example.org"),
		rfc2865.CallingStationID_SetString(p, "02-00-00-00-00-01"),
		rfc2865.CalledStationID_SetString(p, "02-00-00-00-00-02:eduroam"),
		rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_InterimUpdate),
		rfc2866.AcctSessionTime_Set(p, 3600),
		rfc2866.AcctInputOctets_Set(p, 123456789),
		rfc2866.AcctOutputOctets_Set(p, 987654321),
	} {
		if err != nil {
			return nil, err
		}
	}
	return p.Encode()
}

// add hands over record i. While the spool is busy it waits.
func add(ctx context.Context, s *spool.Spool, from *wire.ClientSecret, template []byte, i int) error {
	e := &spool.Entry{Record: spool.Record{Arrived: time.Now(), Client: "campus", Route: "*"}, From: from}
	p := append([]byte(nil), template...)
	binary.BigEndian.PutUint64(p[wire.MinLength+2:], uint64(i))
	if err := e.Packet.Parse(p); err != nil {
		return err
	}
	e.Marks = s.Marks("campus", &e.Packet)
	for {
		err := s.Add(e)
		if err != spool.ErrBusy {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
