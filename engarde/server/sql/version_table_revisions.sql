-- The revisions in a version table, whatever it is, for its owner's own login.
SELECT left(version_num::text, 100) AS revision FROM {schema}.alembic_version LIMIT 100
