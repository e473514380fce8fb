-- Which of these extensions the server has on disk, in which versions, and the version in this database.
SELECT e.name, e.installed_version AS installed, e.default_version AS offered,
       ARRAY(SELECT v.version FROM pg_available_extension_versions v WHERE v.name = e.name ORDER BY 1) AS versions
FROM pg_available_extensions e
WHERE e.name = ANY (%(names)s)
