package spool

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/bench/scrape"
)

// bed is one gateway with a spool.
type bed struct {
	address, metrics string
	gateway          *process.Process
	opened           time.Duration // from its start until it served
	begin            time.Time
	before           float64 // records that were sent when the load began
}

// start runs a gateway in front of the answering server.
func start(ctx context.Context, env *faults.Env, size Size, directory string, server *answer.Server) (*bed, error) {
	b := &bed{}
	var err error
	if b.address, err = ports.Address(); err != nil {
		return nil, err
	}
	if b.metrics, err = ports.Address(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(env.Dir, "gateway-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(b.config(env, size, directory, server)), 0o600); err != nil {
		return nil, err
	}
	begin := time.Now()
	if b.gateway, err = process.Start(exec.Command(env.Gateway, "serve", "-config", file)); err != nil {
		return nil, err
	}
	if err := b.gateway.Until(ctx, "serving", func() bool { return b.gateway.Output().Count("msg=serving") > 0 }); err != nil {
		b.gateway.Kill()
		return nil, err
	}
	b.opened = time.Since(begin)
	return b, nil
}

// config returns the gateway's configuration.
func (b *bed) config(env *faults.Env, size Size, directory string, server *answer.Server) string {
	return fmt.Sprintf(`[listen]
address = [%q]
certificate = %q
private_key = %q
client_ca = %q
[metrics]
address = %q
[tap]
socket = ""
[[client]]
name = "campus"
networks = ["127.0.0.0/8"]
[[server]]
name = "answering"
address = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port = 0
secret = %q
health = "none"
[[route]]
realms = ["*", ""]
packets = ["access", "accounting"]
servers = ["answering"]
spool = true
[spool]
directory = %q
max_records = 10000000
replay_rate = %d
`, b.address, env.Files.ServerCert, env.Files.ServerKey, env.Files.CA, b.metrics, server.AuthPort(), server.AcctPort(), serverSecret, directory, size.Rate)
}

func (b *bed) stop() { _ = b.gateway.Stop(10 * time.Second) }

// load makes the live load.
func (b *bed) load(ctx context.Context, env *faults.Env, size Size) (load.Report, error) {
	mix, err := packets.ParseMix("mixed")
	if err != nil {
		return load.Report{}, err
	}
	client, err := env.Files.Client()
	if err != nil {
		return load.Report{}, err
	}
	b.begin = time.Now()
	if b.before, err = b.sent(); err != nil {
		return load.Report{}, err
	}
	return load.Run(ctx, load.Config{Address: b.address, TLS: client, Secret: []byte("radsec"), Connections: 8, Outstanding: 16, Rate: size.Live, Mix: mix,
		Warmup: size.Round / 10, Duration: size.Round, Timeout: 5 * time.Second})
}

// sent returns how many records were sent again and answered.
func (b *bed) sent() (float64, error) {
	m, err := b.scrape()
	return m.Sum("radsec_gw_spool_sent_total", "result", "answered"), err
}

// finish adds the rate of replay, and raises memory to what the gateway uses beside the pages of
// the file.
func (b *bed) finish(rate *float64, memory *int64) error {
	after, err := b.sent()
	if err != nil {
		return err
	}
	*rate += (after - b.before) / time.Since(b.begin).Seconds()
	now, err := b.gateway.AnonymousMemory()
	*memory = max(*memory, now)
	return err
}

func (b *bed) scrape() (scrape.Metrics, error) {
	answer, err := http.Get("http://" + b.metrics + "/metrics")
	if err != nil {
		return scrape.Metrics{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return scrape.Parse(string(text)), err
}
