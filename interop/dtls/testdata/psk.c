/* A client of DTLS with a pre-shared key, made of GnuTLS: psk PORT IDENTITY KEY
 *
 * KEY is in hexadecimal form. Standard input is sent as one record when it has ended, and the
 * record that comes back is written to standard output. */
#include <arpa/inet.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* must ends the program if a call of GnuTLS has failed. */
static long must(const char *what, long result)
{
	if (result < 0) {
		fprintf(stderr, "%s: %s\n", what, gnutls_strerror((int)result));
		exit(1);
	}
	return result;
}

int main(int argc, char **argv)
{
	char buffer[4097];
	gnutls_session_t session;
	gnutls_psk_client_credentials_t credentials;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 4 || s < 0)
		return 2;
	to.sin_port = htons((unsigned short)atoi(argv[1]));
	if (connect(s, (struct sockaddr *)&to, sizeof to) != 0)
		return 2;
	gnutls_datum_t key = { (unsigned char *)argv[3], (unsigned)strlen(argv[3]) };
	must("credentials", gnutls_psk_allocate_client_credentials(&credentials));
	must("key", gnutls_psk_set_client_credentials(credentials, argv[2], &key, GNUTLS_PSK_KEY_HEX));
	must("session", gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_DATAGRAM));
	must("priorities", gnutls_priority_set_direct(session, "NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK:-VERS-ALL:+VERS-DTLS1.2", NULL));
	must("credentials", gnutls_credentials_set(session, GNUTLS_CRD_PSK, credentials));
	gnutls_transport_set_int(session, s);
	gnutls_dtls_set_mtu(session, 1280 - 40 - 8); /* what fits into a packet of IPv6 */
	gnutls_dtls_set_timeouts(session, 1000, 20000);
	gnutls_record_set_timeout(session, 20000);
	must("handshake", gnutls_handshake(session));
	fprintf(stderr, "%s\n", gnutls_session_get_desc(session));
	must("send", gnutls_record_send(session, buffer, fread(buffer, 1, sizeof buffer, stdin)));
	fwrite(buffer, 1, (size_t)must("receive", gnutls_record_recv(session, buffer, sizeof buffer)), stdout);
	must("close", gnutls_bye(session, GNUTLS_SHUT_WR));
	return 0;
}
