-- What the next statement, which takes no parameters, is to read.
SELECT set_config('engarde.schemas', to_jsonb(%(schemas)s::text[])::text, true), set_config('engarde.near', %(near)s, true)
