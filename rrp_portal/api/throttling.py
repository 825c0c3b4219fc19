"""How often one may ask. When Redis is away nobody is counted: the API answers rather than fails."""

import logging

from redis.exceptions import RedisError
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

logger = logging.getLogger(__name__)


class _AnswersWithoutRedis:
    def allow_request(self, request, view) -> bool:
        """Whether the request is within the rate; always, while it cannot be counted."""
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError):
            logger.warning("requests are not counted: Redis does not answer")
            return True


class VisitorThrottle(_AnswersWithoutRedis, AnonRateThrottle):
    """A rate per address for those who have not signed in."""


class PersonThrottle(_AnswersWithoutRedis, UserRateThrottle):
    """A rate per person, whatever the number of their tokens."""
