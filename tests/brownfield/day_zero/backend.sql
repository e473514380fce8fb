-- The production backend's, as the role that it logs in with: 20 tables, and those of backend_worker's beside them.
CREATE TABLE public.users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email public.citext NOT NULL UNIQUE, name text);
CREATE TABLE public.brands (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE INDEX brands_by_name ON public.brands USING gin (name public.gin_trgm_ops);
CREATE TABLE public.brand_users (
    brand_id bigint REFERENCES public.brands, user_id bigint REFERENCES public.users, PRIMARY KEY (brand_id, user_id));
CREATE TABLE public.organizations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.organization_members (
    organization_id bigint REFERENCES public.organizations, user_id bigint REFERENCES public.users,
    PRIMARY KEY (organization_id, user_id));
CREATE TABLE public.sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id bigint REFERENCES public.users, ends timestamptz);
CREATE TABLE public.api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint REFERENCES public.users,
    hint text DEFAULT left(encode(public.gen_random_bytes(8), 'hex'), 4));
CREATE TABLE public.invitations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email public.citext, brand_id bigint REFERENCES public.brands);
CREATE TABLE public.channels (id serial PRIMARY KEY, name text UNIQUE);
CREATE TABLE public.campaigns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, brand_id bigint REFERENCES public.brands,
    channel_id int REFERENCES public.channels, name text);
CREATE TABLE public.campaign_assets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, campaign_id bigint REFERENCES public.campaigns, url text);
CREATE TABLE public.integrations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, brand_id bigint REFERENCES public.brands, kind text);
CREATE TABLE public.oauth_tokens (
    integration_id bigint PRIMARY KEY REFERENCES public.integrations, scope text, ends timestamptz);
CREATE TABLE public.plans (id serial PRIMARY KEY, name text UNIQUE, price numeric(10, 2));
CREATE TABLE public.subscriptions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, brand_id bigint REFERENCES public.brands,
    plan_id int REFERENCES public.plans, begun date);
CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subscription_id bigint REFERENCES public.subscriptions,
    amount numeric(10, 2));
CREATE TABLE public.payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, invoice_id bigint REFERENCES public.invoices, paid timestamptz);
CREATE TABLE public.notifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint REFERENCES public.users, body text);
CREATE TABLE public.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(), note text);
CREATE TABLE public.events (at timestamptz NOT NULL, brand_id bigint, kind text) PARTITION BY RANGE (at);
CREATE TABLE public.events_2025 PARTITION OF public.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE public.events_2026 PARTITION OF public.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

INSERT INTO public.users (email, name) SELECT 'user' || n || '@example.com', 'User ' || n FROM generate_series(1, 50) n;
INSERT INTO public.brands (name) SELECT 'Brand ' || n FROM generate_series(1, 10) n;
INSERT INTO public.brand_users SELECT 1 + n % 10, n FROM generate_series(1, 50) n;
INSERT INTO public.api_keys (user_id) SELECT n FROM generate_series(1, 20) n;
INSERT INTO public.plans (name, price) VALUES ('free', 0), ('team', 49);
INSERT INTO public.subscriptions (brand_id, plan_id) SELECT n, 2 FROM generate_series(1, 10) n;
INSERT INTO public.invoices (subscription_id, amount) SELECT n, 49 FROM generate_series(1, 10) n;
INSERT INTO public.events SELECT timestamptz '2025-12-01' + n * interval '1 day', 1 + n % 10, 'opened'
    FROM generate_series(1, 60) n;

CREATE VIEW public.brand_members AS
    SELECT b.name AS brand, u.email FROM public.brand_users JOIN public.brands b ON b.id = brand_id
    JOIN public.users u ON u.id = user_id;
CREATE VIEW public.active_subscriptions AS
    SELECT s.id, b.name FROM public.subscriptions s JOIN public.brands b ON b.id = s.brand_id;
CREATE MATERIALIZED VIEW public.events_per_brand AS SELECT brand_id, count(*) FROM public.events GROUP BY brand_id;

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_keys ON public.api_keys USING (user_id = nullif(current_setting('app.user', true), '')::bigint);

CREATE FUNCTION public.main_brand(of_user bigint) RETURNS bigint STABLE SECURITY DEFINER
    LANGUAGE sql SET search_path = pg_catalog, pg_temp
    AS 'SELECT min(brand_id) FROM public.brand_users WHERE user_id = of_user';

CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO public.alembic_version VALUES ('b042');
