"""Settings, all from the environment; `.env.example` lists every variable with its meaning."""

import re
from pathlib import Path

import pghistory
from celery.schedules import crontab

from rrp_portal.environment import database_from_url, env_bool, env_int, env_list, env_text

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = next(iter(re.findall(r"^## v?(\S+)", (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)), "0")

# Core
SECRET_KEY = env_text("SECRET_KEY")
DEBUG = env_bool("DEBUG")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
DEMONSTRATION = env_bool("DEMONSTRATION")
ROOT_URLCONF = "rrp_portal.urls"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
WSGI_APPLICATION = "rrp_portal.wsgi.application"
AUTH_USER_MODEL = "reference.User"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "pghistory",
    "pgtrigger",
    "rest_framework",
    "rrp_portal.reference",
    "rrp_portal.jobs",
    "planning",
    "pledges",
    "funding",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "rrp_portal.security.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "funding.middleware.WakeRollupsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rrp_portal.context.site",
            ],
            "builtins": ["rrp_portal.templatetags.portal"],
        },
    },
]

# Data stores
DATABASES = {"default": database_from_url(env_text("DATABASE_URL"))}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env_int("DATABASE_CONN_MAX_AGE", 60),
    "CONN_HEALTH_CHECKS": True,
    # Without this every trigger raises and catches an exception for every row, which makes large imports quadratic.
    "OPTIONS": {"options": "-c pgtrigger.ignore={}"},
    "TEST": {"NAME": env_text("DATABASE_TEST_NAME", "test_rrp_portal")},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env_text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": re.sub(
            r"^redis\+socket://(?P<path>[^?]*)(\?virtual_host=(?P<db>\d+))?$", r"unix://\g<path>", REDIS_URL
        ),
        "KEY_PREFIX": "rrp",
    }
}

# Jobs
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_connect_timeout": 1, "socket_timeout": 10}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "recompute-stale-figures": {"task": "funding.tasks.recompute_stale", "schedule": 15.0},
    "worker-heartbeat": {"task": "rrp_portal.jobs.tasks.beat_heart", "schedule": 15.0},
    "restart-orphaned-jobs": {"task": "rrp_portal.jobs.tasks.restart_orphans", "schedule": 60.0},
    "clear-sessions": {"task": "rrp_portal.jobs.tasks.clear_sessions", "schedule": crontab(hour=3, minute=17)},
}

# Languages
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("fr", "Français"),
    ("es", "Español"),
    ("ar", "العربية"),
    ("zh-hans", "简体中文"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Signing in
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "todo"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "rrp_portal.accounts.InvitationOnlyAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # every account begins with an invitation sent to that address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reset_password": "20/m/ip,5/m/key"}
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_ADAPTER = "rrp_portal.accounts.KnownPeopleAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "RRP Portal"
MFA_TOTP_TOLERANCE = 1  # a telephone whose clock is half a minute off
if OIDC_SERVER_URL := env_text("OIDC_SERVER_URL", ""):
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": env_text("OIDC_NAME", "Single sign-on"),
                    "client_id": env_text("OIDC_CLIENT_ID"),
                    "secret": env_text("OIDC_CLIENT_SECRET"),
                    "settings": {"server_url": OIDC_SERVER_URL},
                }
            ]
        }
    }

# Mail
EMAIL_BACKEND = env_text("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env_text("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env_text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_text("DEFAULT_FROM_EMAIL", "RRP Portal <no-reply@localhost>")

# Files
STATIC_URL = "static/"
STATIC_ROOT = Path(env_text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env_text("MEDIA_ROOT", str(BASE_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
IMPORT_MAX_BYTES = env_int("IMPORT_MAX_MB", 200) * 1024 * 1024
FTS_API_URL = env_text("FTS_API_URL", "https://api.hpc.tools")

# Transport
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env_bool("BEHIND_PROXY") else 0  # whose attempts to sign in are counted
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("BEHIND_PROXY") else None
HTTPS = env_bool("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rrp_portal.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticatedOrReadOnly",
        "rrp_portal.tokens.TokenAllowsMethod",
    ],
    "DEFAULT_FILTER_BACKENDS": ["rrp_portal.api.KnownFilters"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rrp_portal.api.CursorPages",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer", "rrp_portal.api.CSVRenderer"],
    "DEFAULT_SCHEMA_CLASS": "rrp_portal.api.described.Described",
    "DEFAULT_THROTTLE_CLASSES": [
        "rrp_portal.api.VisitorThrottle",
        "rrp_portal.api.PersonThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env_text("API_RATE_ANONYMOUS", "60/min"),
        "user": env_text("API_RATE_SIGNED_IN", "600/min"),
    },
    "EXCEPTION_HANDLER": "rrp_portal.api.explain_refusal",
    "NUM_PROXIES": 1 if env_bool("BEHIND_PROXY") else 0,
    "COERCE_DECIMAL_TO_STRING": True,
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RRP Portal API",
    "DESCRIPTION": "Refugee Response Plans: what is needed, what has come, and what is still missing. Money is a string of US dollars.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "rrp_portal.api.described.with_refusals",
    ],
    "ENUM_NAME_OVERRIDES": {
        "FlowStatus": "funding.models.Flow.Status",
        "FlowType": "funding.models.Flow.Type",
        "JobState": "rrp_portal.jobs.models.Job.State",
        "Place": "funding.models.Place",
        "PlanType": "planning.models.Plan.Type",
        "RequirementStatus": "planning.models.Requirement.Status",
        "SectorSplit": "funding.models.SectorSplit",
        "VersionStatus": "planning.models.PlanVersion.Status",
    },
}

# Checks
SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("LOG_LEVEL", "INFO")},
}
PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
PGHISTORY_APPEND_ONLY = False
