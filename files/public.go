package files

// Public reports whether every user of the machine can read the file at path, by the modes of
// the file and of the directories on the way to it. It is false where there are no modes,
// and for a file that cannot be examined.
//
// It is also false for a file on a read-only file system in memory: that is how Kubernetes,
// Docker and systemd mount secrets, with modes that let everybody read them, for one
// container or service alone.
func (s *Snapshot) Public(path string) bool {
	result := make(chan bool, 1) // the call may outlive its deadline
	err := s.reader.Call(s.ctx, path, func() error {
		result <- public(path) && !mountedSecret(path)
		return nil
	})
	return err == nil && <-result
}
