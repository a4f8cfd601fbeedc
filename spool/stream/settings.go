package stream

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// checkSettings returns the settings of a stream with which what was acknowledged could be lost,
// not be removed, or be read as it was a moment ago. Other settings are its operator's choice.
//
// Rules: GW4.
func (s *Store) checkSettings(c *jetstream.StreamConfig) error {
	limited := c.MaxMsgs > 0 || c.MaxBytes > 0
	var wrong []string
	for _, setting := range []struct {
		is   bool
		text string
	}{
		{c.Retention != jetstream.LimitsPolicy, fmt.Sprintf("retention is %v, expected Limits: NATS would remove records by itself", c.Retention)},
		{c.Discard != jetstream.DiscardNew && limited, "discard is old, expected new: NATS would remove the oldest records when max_msgs or max_bytes is reached"},
		{c.MaxMsgsPerSubject > 0, "max_msgs_per_subject is set: NATS would remove the oldest records; limit max_msgs instead"},
		{c.MaxAge > 0, fmt.Sprintf("max_age is %v: NATS would remove records that nobody has counted; use max_age of [spool]", c.MaxAge)},
		{c.Storage != jetstream.FileStorage, fmt.Sprintf("storage is %v, expected File: records would be lost when the servers are started again", c.Storage)},
		{c.PersistMode == jetstream.AsyncPersistMode, "persist_mode is async: records would be acknowledged before they are written"},
		{len(c.Subjects) != 1 || c.Subjects[0] != s.subject() || c.SubjectTransform != nil, fmt.Sprintf("subjects are %q, expected only %q and no transform: does something else use a stream of this name, as another prefix with - where this one has a dot?", c.Subjects, s.subject())},
		{c.NoAck, "no_ack is set: nothing would say that a record is stored"},
		{c.Sealed, "sealed is set: nothing can be stored"},
		{c.DenyDelete, "deny_delete is set: records that were sent could not be removed"},
		{c.AllowDirect, "allow_direct is set: a server that is behind would say what is stored"},
	} {
		if setting.is {
			wrong = append(wrong, setting.text)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New("settings with which the spool cannot use it: " + strings.Join(wrong, "; "))
}
