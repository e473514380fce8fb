"""What is asked of Railway, in its own words (GraphQL)."""

from __future__ import annotations

_INSTANCE = """
    serviceId serviceName
    latestDeployment { id status createdAt }
    activeDeployments { id status createdAt }
"""
_PAGE = "pageInfo { hasNextPage endCursor }"
_NAMED = f"(first: 50, after: $after) {{ edges {{ node {{ id name deletedAt }} }} {_PAGE} }}"

WHICH_ENVIRONMENT = "query { projectToken { projectId environmentId project { name } environment { name } } }"

PROJECTS = f"""query ($after: String) {{
  projects{_NAMED}
}}"""

PROJECT = "query ($project: String!) { project(id: $project) { id name deletedAt } }"

ENVIRONMENTS = f"""query ($project: String!, $after: String) {{
  project(id: $project) {{ environments{_NAMED} }}
}}"""

SERVICES = f"""query ($project: String!, $after: String) {{
  project(id: $project) {{ services{_NAMED} }}
}}"""

INSTANCES = f"""query ($project: String!, $environment: String!, $after: String) {{
  environment(id: $environment, projectId: $project) {{
    serviceInstances(first: 50, after: $after) {{ edges {{ node {{ {_INSTANCE} }} }} {_PAGE} }}
  }}
}}"""

INSTANCE = f"""query ($environment: String!, $service: String!) {{
  serviceInstance(environmentId: $environment, serviceId: $service) {{ {_INSTANCE} }}
}}"""

VARIABLES = f"""query ($project: String!, $environment: String!, $after: String) {{
  environment(id: $environment, projectId: $project) {{
    variables(first: 100, after: $after) {{ edges {{ node {{ name serviceId isSealed updatedAt }} }} {_PAGE} }}
  }}
}}"""

VALUES = """query ($project: String!, $environment: String!, $service: String) {
  written: variables(projectId: $project, environmentId: $environment, serviceId: $service, unrendered: true)
  rendered: variables(projectId: $project, environmentId: $environment, serviceId: $service, unrendered: false)
}"""

WRITE = "mutation ($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }"

DEPLOY = """mutation ($environment: String!, $service: String!) {
  serviceInstanceDeployV2(environmentId: $environment, serviceId: $service)
}"""
