#!/bin/sh
# Makes the cluster on first start, as the official image's entry point does:
# user, password and database from the environment, no network until done.
set -eu
PATH=@BINDIR@:/usr/local/bin
export PATH
case ${1-postgres} in postgres | -*) ;; *) exec "$@" ;; esac
[ "${1-}" = postgres ] && shift
user=${POSTGRES_USER:-postgres}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	: "${POSTGRES_PASSWORD:?must be set to start with an empty data folder}"
	initdb --no-sync --pgdata="$PGDATA" --username="$user" --pwfile=/dev/stdin \
		--auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C <<-END
		$POSTGRES_PASSWORD
	END
	echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
	pg_ctl --pgdata="$PGDATA" --wait --silent --options="-c listen_addresses=''" start
	if [ "${POSTGRES_DB:-$user}" != postgres ]; then
		psql --no-psqlrc --quiet --username="$user" --dbname=postgres \
			--set=ON_ERROR_STOP=1 --set=name="${POSTGRES_DB:-$user}" <<-'END'
			CREATE DATABASE :"name";
		END
	fi
	pg_ctl --pgdata="$PGDATA" --wait --silent --mode=fast stop
fi
exec postgres -c listen_addresses='*' "$@"
