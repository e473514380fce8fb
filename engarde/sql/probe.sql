-- Tries each list of statements in a subtransaction of its own that never stays, and notes which statement failed, how
-- and why. Given and answered by settings: a block takes no parameters and returns no rows.
DO $probe$
DECLARE
    tried jsonb;
    one text;
    place integer;
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
            answers := answers || (SQLSTATE || ' ' || place || ' ' || SQLERRM);
        END;
    END LOOP;
    PERFORM set_config('engarde.answers', to_jsonb(answers)::text, true);
END
$probe$
