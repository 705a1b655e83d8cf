"""Settings of the machine's door: OAuth 2, REST framework, the OpenAPI document, limits."""

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.auth.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["api.auth.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.ClientAllowance"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "api.problems.problem_handler",
    "URL_FORMAT_OVERRIDE": None,
}

# The swappable model has to be named for migrations that point at it.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    # Client credentials and nothing else: machines sign in here, people at the portal.
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "api.auth.ClientValidator",
    "SCOPES_BACKEND_CLASS": "api.auth.ClientScopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # Only the hash of a token is stored.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    # The grants that are not offered follow RFC 9700 as well.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Sekisho API",
    "DESCRIPTION": (
        "For the systems of funding agencies (資金配分機関). A client sees the programs (事業) that its agency runs, and "
        "what belongs to them; everything else answers 404. Amounts are integer yen, fiscal years (年度) are the "
        "calendar year of their April, instants are in Japan time (+09:00), texts come as a pair of ja and en. "
        "Facts are as printed in the source; null means that the source does not say. `is_sample` marks sample data "
        "(見本). Errors are problem+json in Japanese or English by Accept-Language."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_PUBLIC": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.schema.only_this_api"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ProgramKind": "programs.models.Program.Kind",
        "ProjectKind": "programs.models.Project.Kind",
        "ProjectState": "programs.models.Project.State",
        "ParticipationRole": "programs.models.Participation.Role",
        "FundNodeKind": "programs.models.FundNode.Kind",
        "BudgetLineKind": "programs.models.BudgetLine.Kind",
        "PrintedUnit": "programs.models.BudgetLine.PrintedUnit",
        "IndicatorKind": "programs.models.OutcomeIndicator.Kind",
        "IndicatorDirection": "programs.models.OutcomeIndicator.Direction",
        "IndicatorPeriod": "programs.models.OutcomeIndicator.Period",
        "ReportKind": "reporting.models.schedule.ReportKind",
    },
}

# Requests of one client: a steady rate, and how many may come at once.
API_REQUESTS_PER_MINUTE = 600
API_REQUESTS_AT_ONCE = 200
# Tokens of one client: each costs a slow hash.
API_TOKENS_PER_MINUTE = 20
API_TOKENS_AT_ONCE = 10
# One NDJSON upload.
API_UPLOAD_MAX_LINES = 50_000
API_UPLOAD_MAX_BYTES = 20 * 1024 * 1024
