-- The setup guide's script: schemas, roles, grants, default privileges. Its passwords are set elsewhere.
CREATE SCHEMA madansara;
CREATE SCHEMA sankore;
CREATE SCHEMA onside;
CREATE SCHEMA langflow;

CREATE ROLE madansara_user LOGIN;
CREATE ROLE sankore_user LOGIN;
CREATE ROLE onside_user LOGIN;
CREATE ROLE langflow_user LOGIN;
CREATE ROLE analytics_readonly LOGIN;

GRANT CONNECT ON DATABASE railway TO madansara_user, sankore_user, onside_user, langflow_user, analytics_readonly;

GRANT USAGE, CREATE ON SCHEMA madansara TO madansara_user;
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA madansara TO madansara_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA madansara GRANT ALL ON TABLES TO madansara_user;

GRANT USAGE, CREATE ON SCHEMA sankore TO sankore_user;
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA sankore TO sankore_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA sankore GRANT ALL ON TABLES TO sankore_user;

GRANT USAGE, CREATE ON SCHEMA onside TO onside_user;
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA onside TO onside_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA onside GRANT ALL ON TABLES TO onside_user;

GRANT USAGE, CREATE ON SCHEMA langflow TO langflow_user;
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA langflow TO langflow_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA langflow GRANT ALL ON TABLES TO langflow_user;

GRANT USAGE ON SCHEMA public, madansara, sankore, onside, langflow TO analytics_readonly;
GRANT SELECT ON ALL TABLES IN SCHEMA public, madansara, sankore, onside, langflow TO analytics_readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public, madansara, sankore, onside, langflow
    GRANT SELECT ON TABLES TO analytics_readonly;
