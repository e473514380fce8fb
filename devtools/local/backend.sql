-- Stands for the tables of a production backend, so that declared reads have something to show.
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS public.users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text
);
CREATE TABLE IF NOT EXISTS public.brands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
CREATE TABLE IF NOT EXISTS public.brand_users (
    brand_id bigint NOT NULL REFERENCES public.brands (id),
    user_id bigint NOT NULL REFERENCES public.users (id),
    PRIMARY KEY (brand_id, user_id)
);
