CREATE TABLE langflow.flow (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE TABLE langflow.variable (name text PRIMARY KEY, value text);
INSERT INTO langflow.flow (note) SELECT 'flow ' || n FROM generate_series(1, 300) n;
