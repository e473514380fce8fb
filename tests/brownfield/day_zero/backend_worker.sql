-- The backend's, too, made by its worker.
CREATE TABLE public.jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(), note text);
CREATE TABLE public.job_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id bigint REFERENCES public.jobs, ended timestamptz);
CREATE TABLE public.webhook_deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, url text, status int);
INSERT INTO public.jobs (note) SELECT 'job ' || n FROM generate_series(1, 20) n;
GRANT SELECT ON public.jobs TO workers_user;
