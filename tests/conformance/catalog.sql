-- Everything that grants, owners and settings of a recorded scenario can show in, name by name.
-- An access list that is null is the built-in default.
with facts(kind, name, facts) as (
    select 'database', datname, jsonb_build_object('owner', pg_get_userbyid(datdba), 'acl', datacl::text[])
      from pg_database where datname = current_database()
    union all
    select 'schema', nspname, jsonb_build_object('owner', pg_get_userbyid(nspowner), 'acl', nspacl::text[])
      from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
    union all
    select 'role', rolname, jsonb_build_object(
             'super', rolsuper, 'inherit', rolinherit, 'createrole', rolcreaterole, 'createdb', rolcreatedb,
             'login', rolcanlogin, 'replication', rolreplication, 'bypassrls', rolbypassrls,
             'connlimit', rolconnlimit, 'validuntil', rolvaliduntil::text, 'config', rolconfig)
      from pg_roles where rolname !~ '^pg_' and rolname not in ('postgres', 'adm')
    union all
    select 'member', pg_get_userbyid(roleid) || '<-' || pg_get_userbyid(member),
           jsonb_build_object('admin', bool_or(admin_option))
      from pg_auth_members where pg_get_userbyid(member) !~ '^pg_' group by roleid, member
    union all
    select 'relation', nspname || '.' || relname,
           jsonb_build_object('kind', relkind::text, 'owner', pg_get_userbyid(relowner), 'acl', relacl::text[])
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where relkind in ('r', 'v', 'm', 'S', 'p', 'f') and nspname !~ '^pg_' and nspname <> 'information_schema'
    union all
    select 'function', nspname || '.' || proname,
           jsonb_build_object('owner', pg_get_userbyid(proowner), 'acl', proacl::text[])
      from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
     where nspname !~ '^pg_' and nspname <> 'information_schema'
       and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
    union all
    select 'default_acl', pg_get_userbyid(defaclrole) || '/' || coalesce(nspname, '*') || '/' || defaclobjtype::text,
           to_jsonb(defaclacl::text[])
      from pg_default_acl left join pg_namespace on pg_namespace.oid = defaclnamespace
    union all
    select 'extension', extname, jsonb_build_object('schema', nspname)
      from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname <> 'plpgsql'
)
select jsonb_build_object('kind', kind, 'name', name, 'facts', facts) from facts order by kind, name collate "C", facts::text collate "C"
