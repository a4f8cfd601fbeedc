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

// Writable returns what of the file at path every user of the machine can change, by the modes:
// the file itself, or a directory on the way to it in which he can put another in its place;
// "" if nothing. It is "" also where Public is false because there are no modes, or because
// of the file system.
func (s *Snapshot) Writable(path string) string {
	result := make(chan string, 1) // the call may outlive its deadline
	err := s.reader.Call(s.ctx, path, func() error {
		at := writable(path)
		if at != "" && mountedSecret(path) {
			at = ""
		}
		result <- at
		return nil
	})
	if err != nil {
		return ""
	}
	return <-result
}
