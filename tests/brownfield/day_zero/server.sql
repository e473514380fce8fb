-- What only a superuser may do, before anything else is there.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext;

CREATE ROLE backend_worker LOGIN;
GRANT CREATE ON SCHEMA public TO backend_worker;
CREATE ROLE support_admin LOGIN BYPASSRLS;

CREATE FUNCTION public.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE LOG 'ddl: % by %', tg_tag, session_user; END $$;
CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION public.note_ddl();
