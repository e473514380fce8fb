CREATE TABLE sankore.ads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, brand_id bigint NOT NULL REFERENCES public.brands, note text);
CREATE TABLE sankore.bids (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ad_id bigint REFERENCES sankore.ads, amount numeric(10, 2));
INSERT INTO sankore.ads (brand_id, note) SELECT 1 + n % 10, 'ad ' || n FROM generate_series(1, 100) n;
GRANT SELECT ON sankore.ads TO legacy_etl;
