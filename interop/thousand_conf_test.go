package interop

import "text/template"

const sourceAddress = "127.0.1.7"

// thousandGateway takes: ports for RadSec, authentication, accounting, CoA, metrics; secrets of the servers, of the
// source and of radclient.
const thousandGateway = `
[listen]
address     = ["127.0.0.1:%[1]d"]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca   = "certs/ca.pem"

[[client]]
name          = "sourced"
san_dns       = ["ap-0999.sourced.example"]
source        = "` + sourceAddress + `"
server_secret = "%[7]s"
reverse_coa   = true

[[client]]
name            = "access points"
san_dns         = ["*.ap.example"]
max_connections = 2000
operator_name   = ["example.org"]
reverse_coa     = true

[[client]]
name     = "probe"
networks = ["127.0.0.1"]

[[server]]
name      = "freeradius"
address   = "127.0.0.1"
auth_port = %[2]d
acct_port = %[3]d
coa_port  = 0
secret    = "%[6]s"

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting"]
servers = ["freeradius"]

[dynamic_authorization]
address = ["0.0.0.0:%[4]d"]

[[dynamic_authorization.sender]]
name     = "radclient"
networks = ["127.0.0.1"]
secret   = "%[8]s"

[metrics]
address = "127.0.0.1:%[5]d"
`

// reverseFreeRADIUS sends CoA and Disconnect to the gateway as to a NAS: to the coa_server of the
// client, and of the client with an address of its own to where its requests come from.
var reverseFreeRADIUS = template.Must(template.New("radiusd.conf").Parse(`
prefix = /usr
raddbdir = {{.Dir}}
logdir = ${raddbdir}
run_dir = ${raddbdir}
libdir = /usr/lib/freeradius
pidfile = ${run_dir}/radiusd.pid
max_requests = 65536
security { max_attributes = 200
           reject_delay = 0
           status_server = yes }
proxy_requests = yes

client gateway {
        ipaddr = 127.0.0.1
        secret = "{{.Secret}}"
        coa_server = gateway
}
client sourced {
        ipaddr = {{.Source}}
        secret = "{{.SourceSecret}}"
}
home_server gateway {
        type = coa
        ipaddr = 127.0.0.1
        port = {{.CoA}}
        secret = "{{.Secret}}"
}
home_server_pool gateway {
        type = fail-over
        home_server = gateway
        virtual_server = answers
}
home_server sourced {
        type = coa
        ipaddr = {{.Source}}
        port = {{.CoA}}
        secret = "{{.SourceSecret}}"
}
home_server_pool sourced {
        type = fail-over
        home_server = sourced
}
modules {
        always ok { rcode = ok }
        pap { }
        mschap { require_encryption = yes
                 require_strong = yes }
        expr { }
        files { usersfile = ${raddbdir}/authorize }
        linelog { filename = ${logdir}/answers
                  format = "%{proxy-reply:Packet-Type} for %{User-Name} of %{NAS-Identifier}" }
        eap {
                default_eap_type = peap
                tls-config tls-common {
                        private_key_file = {{.Certs}}/eap-server.key
                        certificate_file = {{.Certs}}/eap-server.pem
                        ca_file = {{.Certs}}/eap-ca.pem
                        tls_min_version = "1.2"
                        tls_max_version = "1.2"
                }
                peap { tls = tls-common
                       default_eap_type = mschapv2
                       use_tunneled_reply = yes
                       virtual_server = inner-tunnel }
                mschapv2 { }
        }
}
server default {
        listen { type = auth
                 ipaddr = 127.0.0.1
                 port = {{.Auth}} }
        listen { type = acct
                 ipaddr = 127.0.0.1
                 port = {{.Acct}} }
        authorize {
                files
                eap {
                        ok = return
                }
                pap
                Autz-Type Status-Server {
                        ok
                }
        }
        authenticate {
                Auth-Type PAP {
                        pap
                }
                eap
        }
        preacct {
                ok
        }
        accounting {
                #  who is over quota is disconnected
                if (&Acct-Output-Octets && &Acct-Output-Octets > 1000000) {
                        if (&Packet-Src-IP-Address == {{.Source}}) {
                                update disconnect { &Packet-Dst-Port := {{.CoA}} }
                        }
                        else {
                                update disconnect { &Acct-Session-Id := "%{Acct-Session-Id}" }
                        }
                }
                ok
        }
        post-auth {
                #  3.2.1 sends this before the Access-Accept, whatever its documents say: the gateway
                #  cannot know the session yet
                if (&User-Name == "guest") {
                        update coa { &NAS-Identifier := "%{NAS-Identifier}"
                                     &Acct-Session-Id := "%{Acct-Session-Id}"
                                     &Filter-Id := "guests" }
                }
                update reply { &Class := "class of %{Acct-Session-Id}"
                               &Message-Authenticator := 0x00 }
        }
}
server inner-tunnel {
        authorize {
                files
                mschap
                eap {
                        ok = return
                }
        }
        authenticate {
                Auth-Type MS-CHAP {
                        mschap
                }
                eap
        }
        post-auth {
                update reply { &User-Name := "%{User-Name}" }
        }
}
server answers {
        pre-proxy {
                ok
        }
        post-proxy {
                linelog
        }
}
`))
