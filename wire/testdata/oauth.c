/*
 * Logs in with the bearer token in $TOKEN, as a program with a flow of its own
 * does, and prints where it was sent for the token and what the server said.
 * The declarations are those of PostgreSQL 18's libpq-fe.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
typedef struct request {
	const char *openid_configuration;
	const char *scope;
	int (*async)(PGconn *, struct request *, int *);
	void (*cleanup)(PGconn *, struct request *);
	char *token;
	void *user;
} request;

extern void PQsetAuthDataHook(int (*hook)(int, PGconn *, void *));
extern PGconn *PQconnectdb(const char *);
extern int PQstatus(const PGconn *);
extern char *PQerrorMessage(const PGconn *);
extern PGresult *PQexec(PGconn *, const char *);
extern char *PQgetvalue(const PGresult *, int, int);
extern void PQfinish(PGconn *);

enum { oauth_bearer_token = 1 };

static int hook(int type, PGconn *conn, void *data)
{
	request *r = data;

	(void) conn;
	if (type != oauth_bearer_token)
		return 0;
	printf("asked at %s for %s\n", r->openid_configuration, r->scope ? r->scope : "nothing");
	r->token = getenv("TOKEN");
	return 1;
}

int main(int argc, char **argv)
{
	PGconn *conn;

	if (argc != 2)
		return 2;
	PQsetAuthDataHook(hook);
	conn = PQconnectdb(argv[1]);
	if (PQstatus(conn) != 0) {
		printf("%s", PQerrorMessage(conn));
		return 1;
	}
	printf("answer %s\n", PQgetvalue(PQexec(conn, "select 6 * 7"), 0, 0));
	PQfinish(conn);
	return 0;
}
