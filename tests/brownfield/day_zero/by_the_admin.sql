-- What the admin has made by hand since: services' tables, roles beside the guide's, their settings and grants.
-- What madansara has is the admin's, as its migrations were run with the admin's URL.
CREATE TABLE madansara.journeys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, brand_id bigint NOT NULL REFERENCES public.brands, note text);
CREATE TABLE madansara.steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, journey_id bigint REFERENCES madansara.journeys, kind text);
INSERT INTO madansara.journeys (brand_id, note) SELECT 1 + n % 10, 'journey ' || n FROM generate_series(1, 200) n;
GRANT SELECT ON public.users, public.brand_users TO madansara_user;

GRANT SELECT, REFERENCES ON public.brands TO sankore_user;
ALTER ROLE sankore_user SET statement_timeout = '30s';

-- onside has never moved into its schema.
CREATE TYPE public.lead_status AS ENUM ('new', 'won', 'lost');
CREATE TABLE public.leads (
    id serial PRIMARY KEY, brand_id bigint REFERENCES public.brands, status public.lead_status NOT NULL, note text);
CREATE TABLE public.lead_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lead_id int REFERENCES public.leads, body text);
CREATE TABLE public.onside_settings (key text PRIMARY KEY, value text);
INSERT INTO public.leads (brand_id, status, note) SELECT 1 + n % 10, 'new', 'lead ' || n FROM generate_series(1, 40) n;
INSERT INTO public.onside_settings VALUES ('theme', 'dark');
INSERT INTO public.alembic_version VALUES ('o007');
GRANT ALL ON public.leads, public.lead_notes, public.onside_settings TO onside_user;
GRANT USAGE ON SEQUENCE public.leads_id_seq TO onside_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.alembic_version TO onside_user;

ALTER ROLE langflow_user SET search_path = langflow, public;

-- One login for two services.
CREATE ROLE workers_user LOGIN;
CREATE SCHEMA workers;
CREATE SCHEMA billing;
GRANT USAGE, CREATE ON SCHEMA workers, billing TO workers_user;
GRANT SELECT ON public.invoices TO workers_user;

CREATE ROLE metabase LOGIN IN ROLE analytics_readonly;

CREATE ROLE legacy_etl LOGIN;
GRANT USAGE ON SCHEMA sankore TO legacy_etl;

GRANT SELECT ON public.api_keys, public.users TO support_admin;

CREATE ROLE old_contractor LOGIN;

CREATE ROLE nightly LOGIN;
GRANT INSERT ON public.audit_log TO nightly;
