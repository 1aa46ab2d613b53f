"""What the apps keep of people beside ClickHouse, and how it goes when somebody vanishes (NIP-62).

The apps do not know each other, and this knows none of them: whoever keeps something of people adds
a function that forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

log = structlog.get_logger(__name__)

# Each deletes in Django's database what it has of these pubkeys; may raise DatabaseError.
erasers: list[Callable[[Sequence[str]], None]] = []


def forget(pubkeys: Sequence[str]) -> bool:
    """Deletes all that Django's database has of these people; whether that could be done.

    It can be called again for the same people.
    """
    # Whoever erases runs for long: a connection that the server has dropped is renewed.
    close_old_connections()
    try:
        for erase in erasers:
            erase(pubkeys)
    except (DatabaseError, InterfaceError) as error:
        log.error("people_not_forgotten", pubkeys=len(pubkeys), error=type(error).__name__)
        return False
    finally:
        close_old_connections()
    return True
