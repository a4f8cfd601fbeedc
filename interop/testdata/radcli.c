/* A RADIUS client over TLS, made of Debian's libradcli: radcli CONFIG
 *
 * Standard input holds requests: a line with the Code, a line "vendor type hexadecimal" for each
 * attribute, an empty line. For each of them standard output has: a line "result authenticator",
 * which are radcli's result (0 positive, 1 timeout, 2 reject, 3 challenge, negative: an error) and
 * the Request Authenticator that radcli chose, in hexadecimal; attributes as above; an empty line.
 * Every request goes over the one connection that reading CONFIG opens. */
#include <arpa/inet.h>
#include <radcli/radcli.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void print_hex(const unsigned char *octets, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		printf("%02x", octets[i]);
	putchar('\n');
}

/* add parses one line; the dictionary says what is a number. */
static void add(rc_handle *rh, VALUE_PAIR **list, const char *line)
{
	unsigned vendor, type, octet, length = 0;
	char hex[2 * 253 + 1] = "";
	unsigned char value[254] = { 0 };
	uint32_t number;

	if (sscanf(line, "%u %u %506s", &vendor, &type, hex) < 2)
		exit(2);
	for (; hex[2 * length] != 0 && sscanf(hex + 2 * length, "%2x", &octet) == 1; length++)
		value[length] = octet;
	DICT_ATTR *known = rc_dict_getattr(rh, type | vendor << 16);
	if (known != NULL && known->type != PW_TYPE_STRING) {
		memcpy(&number, value, sizeof number);
		number = ntohl(number);
		if (rc_avpair_add(rh, list, type, &number, 0, vendor) == NULL)
			exit(3);
	} else if (rc_avpair_add(rh, list, type, value, length, vendor) == NULL)
		exit(3);
}

int main(int argc, char **argv)
{
	char line[1024];
	rc_handle *rh;

	openlog("radcli", LOG_PERROR, LOG_USER); /* where rc_log writes: to standard error, too */
	if (argc != 2 || (rh = rc_read_config(argv[1])) == NULL ||
	    rc_read_dictionary(rh, rc_conf_str(rh, "dictionary")) != 0) {
		fputs("expected a radiusclient.conf whose server takes a connection\n", stderr);
		return 1;
	}
	puts("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		int code = atoi(line);
		VALUE_PAIR *send = NULL, *received = NULL;
		RC_AAA_CTX *request = NULL;

		while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n')
			add(rh, &send, line);
		int result = rc_aaa_ctx(rh, &request, 0, send, &received, NULL, 0, code);
		printf("%d ", result);
		print_hex(request ? rc_aaa_ctx_get_vector(request) : NULL, request ? 16 : 0);
		for (VALUE_PAIR *p = received; p != NULL; p = p->next) {
			printf("%u %u ", (unsigned)VENDOR(p->attribute), (unsigned)ATTRID(p->attribute));
			print_hex((unsigned char *)p->strvalue, p->lvalue);
		}
		puts("");
		fflush(stdout);
		if (request)
			rc_aaa_ctx_free(request);
		rc_avpair_free(send);
		rc_avpair_free(received);
	}
	rc_destroy(rh);
	return 0;
}
