package audit

// ShownUser returns what the log shows of a User-Name, by cfg; "" for nothing. Without a
// salt it means nothing: the hub then chooses a random one.
func ShownUser(cfg *Config, name string) string {
	p := newPrivacy(cfg, [16]byte{})
	s := p.pool.Get().(*scratch)
	defer p.pool.Put(s)
	return string(p.userName(s, []byte(name)))
}

// ShownStation is like ShownUser for a Calling-Station-Id.
func ShownStation(cfg *Config, id string) string {
	p := newPrivacy(cfg, [16]byte{})
	s := p.pool.Get().(*scratch)
	defer p.pool.Put(s)
	return string(p.stationID(s, []byte(id)))
}
