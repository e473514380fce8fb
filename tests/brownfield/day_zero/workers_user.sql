CREATE TABLE workers.task_runs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE TABLE billing.charges (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
INSERT INTO workers.task_runs (note) SELECT 'run ' || n FROM generate_series(1, 20) n;
INSERT INTO billing.charges (note) SELECT 'charge ' || n FROM generate_series(1, 20) n;
