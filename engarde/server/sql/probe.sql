-- Tries each list of statements in a subtransaction of its own that never stays, and notes which statement failed, how
-- and why, and in which function, if not in the statement itself. Given and answered by settings: a block takes no
-- parameters and returns no rows.
DO $probe$
DECLARE
    tried jsonb;
    one text;
    place integer;
    context text;
    answers text[] := '{}';
BEGIN
    FOR tried IN SELECT value FROM jsonb_array_elements(current_setting('engarde.probes')::jsonb) LOOP
        place := 0;
        BEGIN
            FOR one IN SELECT value FROM jsonb_array_elements_text(tried) LOOP
                place := place + 1;
                EXECUTE one;
            END LOOP;
            RAISE EXCEPTION USING ERRCODE = 'EG000';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
            -- The last one is what the statement called.
            answers := answers || (SQLSTATE || ' ' || place || ' ' || SQLERRM || coalesce((
                SELECT ', in function ' || named[1]
                FROM pg_catalog.regexp_matches(context, 'PL/pgSQL function (.*?) line ', 'g') WITH ORDINALITY f (named, nth)
                WHERE named[1] <> 'inline_code_block' ORDER BY nth DESC LIMIT 1), ''));
        END;
    END LOOP;
    PERFORM set_config('engarde.answers', to_jsonb(answers)::text, true);
END
$probe$
